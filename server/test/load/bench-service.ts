import { spawn } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startChild } from './child.ts'
import type { BenchCluster } from './bench-cluster.ts'
import type { BenchClient } from './seed-tenant.ts'
import type { Serve } from './serve.ts'

/** The service and its card gateway, each in a process of its own. */
export interface BenchService {
  readonly service: Child
  readonly port: number
  readonly gatewayPort: number
  readonly gatewayPid: number
  stop(): Promise<void>
}

export async function startBenchService(
  { directory, connection }: BenchCluster,
  { signal, cpuProfiles }: { signal: AbortSignal; cpuProfiles: string | undefined },
): Promise<BenchService> {
  await using cleanup = new AsyncDisposableStack()
  const gatewayPort = await freePort()
  const gateway = startGateway(directory, gatewayPort)
  cleanup.defer(() => gateway.stop())
  const execArgv = cpuProfiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProfiles}`]
  const service = startChild('serve', { directory, signal, execArgv })
  cleanup.defer(() => service.stop())
  const port = await freePort()
  const serve: Serve = { connection, dataDir: directory, port, gatewayPort }
  await Promise.all([service.ask(serve), answers(`http://127.0.0.1:${gatewayPort}/healthz`)])
  const resources = cleanup.move()
  return {
    service,
    port,
    gatewayPort,
    gatewayPid: gateway.pid,
    stop: () => resources.disposeAsync(),
  }
}

const GATEWAY = join(import.meta.dirname, '../../src/sandbox-gateway/main.ts')

function startGateway(directory: string, port: number) {
  const log = openSync(join(directory, 'gateway.log'), 'a')
  const data = join(directory, 'gateway')
  mkdirSync(data)
  const flags = ['--port', `${port}`, '--data', data, '--latency', '0-0', '--exit-with-parent']
  const child = spawn(process.execPath, [GATEWAY, ...flags], { stdio: ['pipe', log, log] })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.once('error', () => undefined) // then it is not there, which its silence tells
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM')
      await gone
    },
  }
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok === true) return
    await sleep(50)
  }
  throw new Error(`nobody answers at ${url}`)
}

/** An access token, asked for as any client does. */
export async function fetchToken(
  port: number,
  { clientId, clientSecret }: BenchClient,
): Promise<string> {
  const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  const response = await fetch(`http://127.0.0.1:${port}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`no token: ${response.status} ${text}`)
  return (JSON.parse(text) as { access_token: string }).access_token
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
