import type { ErrorSpec } from '../errors.ts'

/** The page behind a problem's `type`: what it means, what to do, what it looks like. */
export function errorPage(issuer: string, code: string, spec: ErrorSpec): string {
  const example = {
    type: `${issuer}/docs/errors/${code}`,
    title: spec.title,
    status: spec.status,
    code,
    retryable: spec.retryable,
    request_id: 'req_01jd4yq8z2e7fv3xk5m9n0p1qr',
  }
  return page(
    code,
    `<h1><code>${escape(code)}</code></h1>
<p>${escape(spec.title)}</p>
<p>HTTP status ${spec.status}. ${spec.retryable ? 'Retryable.' : 'Not retryable.'}</p>
<h2>What to do</h2>
<p>${escape(advice(spec))}</p>
<h2>Example</h2>
<pre>${escape(JSON.stringify(example, undefined, 2))}</pre>
<p><a href="/docs/errors">All error codes</a></p>`,
  )
}

export function errorIndexPage(errors: Readonly<Record<string, ErrorSpec>>): string {
  const rows = Object.entries(errors)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(
      ([code, { status, retryable, title }]) =>
        `<tr><td><a href="/docs/errors/${escape(code)}"><code>${escape(code)}</code></a></td>` +
        `<td>${status}</td><td>${retryable ? 'yes' : 'no'}</td><td>${escape(title)}</td></tr>`,
    )
  return page(
    'Error codes',
    `<h1>Error codes</h1>
<table><thead><tr><th>Code</th><th>Status</th><th>Retryable</th><th>Meaning</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>`,
  )
}

function advice({ status, retryable }: ErrorSpec): string {
  if (status === 409 && retryable) {
    return 'The first request with this key is still running. Wait as Retry-After says and send the same request with the same Idempotency-Key: you will get its answer.'
  }
  if (status >= 500 || retryable) {
    return 'What became of the request is unknown, or it was not begun. Wait as Retry-After says and send the same request with the same Idempotency-Key: it takes effect once.'
  }
  if (status === 401) return 'Get a new access token and send the request again.'
  if (status === 403) return 'Use a token that carries the scope named in WWW-Authenticate.'
  if (status === 412 || status === 428) {
    return 'Read the object, apply your change to what you read, and send it with If-Match set to the ETag of that reading.'
  }
  if (status === 404 || status === 409 || status === 422) {
    return 'The request was understood and refused; repeating it gives the same answer. This answer is kept under the Idempotency-Key of the request: to try again after things have changed, send a new key.'
  }
  return 'Correct the request; errors[] names the fields. Nothing has been changed, and the Idempotency-Key may be used again.'
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)} · Countinghouse</title>
</head>
<body>
${body}
</body>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] as string)
}
