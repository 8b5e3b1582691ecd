import { z } from 'zod';
import { configSchema } from './schema.ts';

/** An option of the configuration, as the reference tells it. */
export interface OptionEntry {
  readonly name: string;
  /** What may be said, as Markdown. */
  readonly form: string;
  readonly isRequired: boolean;
  /** As Markdown; empty for none. */
  readonly standard: string;
  readonly meaning: string;
  /** The services that know it; empty for all. */
  readonly services: readonly string[];
}

/** Options that stand together. The name is that of the option that holds them, empty at the top of the file. */
export interface OptionGroup {
  readonly name: string;
  readonly options: readonly OptionEntry[];
}

/** All options, group by group, from the schema. */
export function optionGroups(schema: z.ZodType = configSchema, name = ''): OptionGroup[] {
  const entries = Object.entries(objectIn(schema)?.shape ?? {}) as [string, z.ZodType][];
  const own = { name, options: entries.map(([key, option]) => entryOf(key, option)) };
  const inner = entries
    .filter(([, option]) => objectIn(option) !== undefined)
    .flatMap(([key, option]) => optionGroups(option, key));
  return [own, ...inner];
}

/** The keys that may stand at `path`: to suggest one. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  let at: unknown = configSchema;
  for (const step of path) {
    at = unwrapped(at);
    at =
      at instanceof z.ZodArray
        ? at.element
        : at instanceof z.ZodObject
          ? at.shape[step as string]
          : undefined;
  }
  at = unwrapped(at);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function entryOf(name: string, option: z.ZodType): OptionEntry {
  const facts = factsOf(option);
  const hasOptions = objectIn(option) !== undefined;
  const form = facts.form ?? (hasOptions ? 'options' : formOf(option));
  return {
    name,
    form: hasOptions ? `[${form}](#${name.toLowerCase()})` : form,
    isRequired: !option.safeParse(undefined).success,
    standard: facts.standard ?? '',
    meaning: facts.description ?? '',
    services: facts.services ?? [],
  };
}

/** What `.meta()` and `.describe()` of values and options say. */
interface Facts {
  readonly form?: string;
  readonly standard?: string;
  readonly description?: string;
  readonly services?: readonly string[];
}

/** Of an option and what it wraps; the outermost counts. */
function factsOf(schema: unknown): Facts {
  if (!(schema instanceof z.ZodType)) return {};
  const own = (schema.meta() ?? {}) as Facts;
  if (schema instanceof z.ZodOptional) return { ...factsOf(schema.unwrap()), ...own };
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault)
    return { ...factsOf(schema.unwrap()), ...standardOf(schema.def.defaultValue), ...own };
  return own;
}

function standardOf(value: unknown): Facts {
  if (typeof value === 'object') return {};
  return { standard: `\`${value}\`` };
}

/** Of what says none itself. */
function formOf(option: unknown): string {
  const schema = unwrapped(option);
  if (schema instanceof z.ZodBoolean) return '`true` or `false`';
  if (schema instanceof z.ZodLiteral) return [...schema.values].map((value) => `\`${value}\``).join(', ');
  if (schema instanceof z.ZodEnum) return alternatives(schema.options.map((value) => `\`${value}\``));
  throw new Error('a value of the configuration has no form: give it one with .meta()');
}

function alternatives(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The options that an option holds, or each element of its list. */
function objectIn(option: unknown): z.ZodObject | undefined {
  const schema = unwrapped(option);
  if (schema instanceof z.ZodArray) return objectIn(schema.element);
  return schema instanceof z.ZodObject ? schema : undefined;
}

/** What a configuration says for it, without what is made of that. */
function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault)
    return unwrapped(schema.unwrap());
  if (schema instanceof z.ZodPipe)
    return unwrapped(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  if (schema instanceof z.ZodUnion)
    return schema.options.map(unwrapped).find((option) => option instanceof z.ZodObject) ?? schema;
  return schema;
}
