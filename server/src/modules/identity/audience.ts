/** The audience of an access token for this API. */
export const API_AUDIENCE = 'urn:countinghouse:api'
