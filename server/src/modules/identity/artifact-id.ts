import { hash } from 'node:crypto'

/** What the database holds instead of an id: who reads the table has nothing that opens anything. */
export function hashOfId(id: string): Buffer {
  return hash('sha256', id, 'buffer')
}
