/** The version of the API this code speaks; older ones are served by transformers around it. */
export const API_VERSION = '2026-11-01'
