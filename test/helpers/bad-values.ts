import { type Option, options } from '../../instrumentation/config/options';

/** Every option of the agent, by its name in the configuration. */
export const optionTable = Object.entries(options) as [keyof typeof options, Option<unknown>][];

/** A value that the option's parser must refuse, made from the type that the table gives it. */
export function badValue({ env, parser: { type } }: Option<unknown>): string {
  if (type === 'boolean') return 'yes';
  if (type.startsWith('integer')) return '12abc';
  if (type.startsWith('number')) return '1.5';
  if (/^\w+=number/.test(type)) return 'max=-1';
  if (type === 'comma list') return ',,';
  if (type.startsWith('one of') || type.startsWith('comma list of')) return 'nonsense';
  if (type === 'URL') return 'localhost:4318';
  if (type === 'host') return 'http://localhost:1';
  if (type === 'string' || type === 'secret') return 'hidden\u001bvalue';
  throw new Error(`Expected a type that this helper knows a bad value of, got ${type} of ${env}`);
}

/** Every option at once, each with a bad value. */
export function badEnvironment(): Record<string, string> {
  return Object.fromEntries(optionTable.map(([, option]) => [option.env, badValue(option)]));
}
