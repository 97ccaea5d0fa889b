/** What may differ from the rules of `schema.test.ts`, each with its reason. */

export const tablesOfTheInstall: Readonly<Record<string, string>> = {
  'platform.cluster': 'one row: the epoch of this database cluster',
  'identity.replays': 'one-time ids are unique over the whole install',
  'identity.signing_keys': 'one key ring signs for every tenant',
}

export const indexesAcrossTenants: Readonly<Record<string, string>> = {
  'platform.cluster_pkey': 'one row',
  'identity.clients_pkey': 'a client is found by its id before its tenant is known',
  'identity.artifacts_pkey': 'found by the hash of a random id',
  'identity.artifacts_grant': 'a revoked grant takes all that was issued under it',
  'identity.artifacts_subject':
    'a person takes sessions along that belong to the browser, not to a tenant',
  'identity.artifacts_uid': 'found by the hash of a random id',
  'identity.artifacts_expiry': 'housekeeping deletes what has expired, whoever owns it',
  'identity.login_attempts_expiry': 'housekeeping deletes what is forgotten, whoever owns it',
  'identity.replays_pkey': 'one-time ids are unique over the whole install',
  'identity.replays_expiry': 'housekeeping deletes what has expired, whoever owns it',
  'identity.revocations_xid': 'every node follows what was revoked in any tenant',
  'identity.revocations_drop': 'housekeeping deletes what has expired, whoever owns it',
  'identity.signing_keys_pkey': 'one key ring signs for every tenant',
}

/** Only what is worthless once it has expired or was removed may be deleted by the service. */
export const deletable: Readonly<Record<string, string>> = {
  'identity.artifacts': 'expired codes, grants and sessions',
  'identity.login_attempts': 'failed sign-ins that nobody is slowed by any more',
  'identity.passkeys': 'public keys that their owner or the bank removed',
  'identity.replays': 'expired one-time ids',
  'identity.signing_keys': 'keys whose last token has expired',
  'identity.revocations': 'revocations that no living token can meet',
}

/** Written once: the service may neither change nor delete a row. */
export const writtenOnce: readonly string[] = [
  'audit.events',
  'ledger.entries',
  'ledger.transactions',
  'platform.events',
  'platform.idempotency_keys',
  'platform.idempotency_responses',
]
