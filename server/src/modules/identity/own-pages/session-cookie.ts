import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * The cookie of the bank's own pages: of this origin alone (`__Host-`), out of reach of scripts, not
 * sent along by other sites' forms, and gone with the browser.
 */
export interface SessionCookie {
  read(request: Pick<FastifyRequest, 'headers'>): string | undefined
  write(reply: FastifyReply, id: string): void
  clear(reply: FastifyReply): void
}

export function sessionCookie(issuer: string): SessionCookie {
  const https = issuer.startsWith('https:')
  const name = `${https ? '__Host-' : ''}ch_account`
  const attributes = `Path=/; HttpOnly; SameSite=Lax${https ? '; Secure' : ''}`
  return {
    read({ headers }) {
      const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
      const own = pairs.find((pair) => pair.startsWith(`${name}=`))
      return own?.slice(name.length + 1)
    },
    write(reply, id) {
      reply.header('set-cookie', `${name}=${id}; ${attributes}`)
    },
    clear(reply) {
      reply.header('set-cookie', `${name}=; ${attributes}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`)
    },
  }
}
