import { type SourceFile, lineAt } from './source-tree.ts'
import type { TidyRule } from './tidy-rules.ts'

interface LineRule extends Pick<TidyRule, 'name' | 'advice'> {
  readonly within: (path: string) => boolean
  readonly pattern: RegExp
  /** Comments count too. */
  readonly comments?: boolean
  /** Files where it is right nevertheless, each with its reason. */
  readonly except?: Readonly<Record<string, string>>
}

/** A rule about text that must not occur. Its exceptions must be needed. */
export function lineRule({ within, pattern, comments, except = {}, ...rule }: LineRule): TidyRule {
  const everywhere = new RegExp(pattern, `${pattern.flags}g`)
  const hits = ({ path, text, code }: SourceFile) =>
    [...(comments === true ? text : code).matchAll(everywhere)].map(
      (match) => `${path}:${lineAt(text, match.index)}: ${match[0].trim()}`,
    )
  return {
    ...rule,
    problems: ({ sources }) => {
      const looked = sources.filter(({ path }) => within(path))
      const unneeded = looked.filter((file) => file.path in except && hits(file).length === 0)
      return [
        ...looked.filter(({ path }) => !(path in except)).flatMap(hits),
        ...unneeded.map(({ path }) => `${path}: its exception is no longer needed`),
      ]
    },
  }
}
