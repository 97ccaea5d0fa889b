import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHead } from './answer-head.ts'

const answer = (...lines: string[]) => Buffer.from(`${lines.join('\r\n')}\r\n\r\n{"id":"pay_1"}`)

test('status, length and the place of the body are read from a head as Node writes it', () => {
  const bytes = answer('HTTP/1.1 201 Created', 'content-length: 14', 'Connection: keep-alive')
  const head = readHead(bytes)
  assert.deepEqual(head, {
    status: 201,
    bodyAt: bytes.indexOf('{'),
    bodyLength: 14,
    closing: false,
  })
})

test('the length is read from a head as Koa writes it', () => {
  const head = readHead(answer('HTTP/1.1 200 OK', 'Content-Length: 14'))
  assert.equal(head?.bodyLength, 14)
})

test('an answer behind which the server ends the connection is told', () => {
  const head = readHead(answer('HTTP/1.1 200 OK', 'content-length: 14', 'Connection: close'))
  assert.equal(head?.closing, true)
})

test('a head without its length, or cut off, is not read', () => {
  assert.equal(readHead(answer('HTTP/1.1 200 OK', 'transfer-encoding: chunked')), undefined)
  assert.equal(readHead(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 14\r\n')), undefined)
})
