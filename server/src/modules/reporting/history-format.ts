/** Which of the three forms a request wants: `format` decides, else the `Accept` header. */
export type HistoryFormat = 'json' | 'csv' | 'ndjson'

const BY_MEDIA_TYPE: Readonly<Record<string, HistoryFormat>> = {
  'application/json': 'json',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/*': 'json',
  'text/*': 'csv',
  '*/*': 'json',
}

/** The form that is wanted most, the first of equals; JSON when none is ours. */
export function formatOf(accept: string | undefined): HistoryFormat {
  let best: HistoryFormat = 'json'
  let weight = 0
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const format = BY_MEDIA_TYPE[type]
    const quality = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? '1')
    if (format === undefined || !(quality > weight)) continue
    best = format
    weight = quality
  }
  return best
}
