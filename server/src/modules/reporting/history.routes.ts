import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import { type Static, Type } from 'typebox'
import type { Connection } from '../../platform/db/pools.ts'
import type { Db } from '../../platform/db/types.ts'
import type { FieldError } from '../../platform/errors.ts'
import { pathOf } from '../../platform/http/problem.ts'
import { invalidRequest } from '../../platform/http/validation.ts'
import { type Paging, pageParameters } from '../../platform/page.ts'
import { filterParameters, filtersOf } from './history.filters.ts'
import { historyColumns } from './history-csv.ts'
import { createHistoryExports } from './history-exports.ts'
import { type HistoryFormat, formatOf } from './history-format.ts'
import { placeOf } from './history.queries.ts'
import { TransactionList, toTransaction } from './history.schema.ts'
import { listHistory } from './list-history.ts'

export interface HistoryDeps {
  /** Reads outside any transaction. */
  readonly db: Db
  /** Where short exports are read. */
  readonly reports: Pool
  /** For long ones, which have a connection of their own. */
  readonly connection: Connection
  readonly paging: Paging
}

const HistoryQuery = Type.Object(
  {
    ...pageParameters,
    ...filterParameters,
    format: Type.Optional(
      Type.Union([Type.Literal('json'), Type.Literal('csv'), Type.Literal('ndjson')], {
        description:
          'Before the `Accept` header. `csv` and `ndjson` hold every row that fits the filters.',
      }),
    ),
    columns: Type.Optional(
      Type.Array(Type.Union(historyColumns.map((name) => Type.Literal(name))), {
        maxItems: 30,
        uniqueItems: true,
        description: 'CSV only: these columns, in this order. Repeat the parameter for several.',
      }),
    ),
    delimiter: Type.Optional(
      Type.Union([Type.Literal(','), Type.Literal(';')], {
        description: 'CSV only: `;` where a comma divides decimals. Default: a comma.',
      }),
    ),
    bom: Type.Optional(
      Type.Boolean({ description: 'CSV only: a UTF-8 byte order mark, for Excel. Default: true.' }),
    ),
  },
  { additionalProperties: false },
)
type HistoryQuery = Static<typeof HistoryQuery>

// A list is answered within seconds; an export of millions of rows on a slow line takes longer, and
// must end some day, since its snapshot keeps the database from cleaning up.
const MAX_EXPORT_MS = 30 * 60_000

export const historyRoutes =
  ({ db, reports, connection, paging }: HistoryDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const exports = createHistoryExports(reports, connection)
    app.addHook('preClose', () => exports.close())

    const list = {
      config: { scope: 'history:read', errors: ['invalid_cursor'] },
      handlerTimeout: MAX_EXPORT_MS,
      schema: {
        operationId: 'listTransactions',
        tags: ['history'],
        summary: 'List what was booked, or export it as CSV or NDJSON',
        description:
          'Every transaction of the ledger with its payment, newest first. As `text/csv` or `application/x-ndjson` ' +
          '(`Accept`, or `format`) the same filters give all rows, streamed from one snapshot.\n\n' +
          'NDJSON ends with `{"object":"end","rows":N}`; a CSV body that breaks off is not whole. In CSV, free text ' +
          'that a spreadsheet would run as a formula begins with an apostrophe; amounts, ids and dates never do. ' +
          'Spreadsheets mangle long ids: import those columns as text.',
        querystring: HistoryQuery,
        response: {
          200: {
            description: 'One page, or all rows.',
            content: {
              'application/json': { schema: TransactionList },
              'text/csv': { schema: Type.String() },
              'application/x-ndjson': { schema: Type.String() },
            },
          },
        },
      },
    } as const
    app.get('/transactions', list, async (request, reply) => {
      const { query } = request
      const format = query.format ?? formatOf(request.headers.accept)
      const errors = misplaced(request, format)
      if (errors.length > 0) throw invalidRequest(errors)
      const filters = filtersOf(query)
      reply.header('vary', 'Accept, API-Version, Authorization')
      const { tenantId } = request.actor
      if (format === 'json') {
        const found = await listHistory(db, tenantId, filters, paging.pageOf(request))
        return paging.answer(request, reply, found.page, found.rows, {
          key: placeOf,
          item: toTransaction,
        })
      }
      if (request.method === 'HEAD') return describeExport(reply, format).send()
      const asked = { tenantId, filters, order: query.order ?? 'desc' }
      const form = format === 'csv' ? { format, style: styleOf(query) } : { format }
      const body = await exports.open({ ...asked, form })
      return describeExport(reply, format).send(body)
    })
  }

function describeExport(reply: FastifyReply, format: 'csv' | 'ndjson'): FastifyReply {
  return reply
    .type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson')
    .header('content-disposition', `attachment; filename="transactions.${format}"`)
}

function styleOf({ delimiter = ',', bom = true, columns = [] }: HistoryQuery) {
  return { delimiter, bom, columns }
}

/** Parameters that have no meaning in this form: better refused than ignored. */
function misplaced(request: FastifyRequest, format: HistoryFormat): FieldError[] {
  // The validator has filled in defaults, so what was asked stands only in the address.
  const asked = new URLSearchParams(request.url.slice(pathOf(request.url).length))
  const wrong = [...(format === 'json' ? [] : PAGED), ...(format === 'csv' ? [] : CSV_ONLY)].filter(
    ({ parameter }) => asked.has(parameter),
  )
  return wrong
}

const CSV_ONLY = ['columns', 'delimiter', 'bom'].map((parameter) => ({
  parameter,
  code: 'not_allowed' as const,
  detail: 'belongs to CSV: ask for format=csv',
}))
const PAGED = ['limit', 'cursor'].map((parameter) => ({
  parameter,
  code: 'not_allowed' as const,
  detail: 'an export has no pages: it holds every row that fits the filters',
}))
