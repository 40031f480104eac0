/** The files of the stack: YAML is read, everything else is text. */
export interface StackFiles {
  /** Whether a path of the repository is there. */
  exists(path: string): boolean;
  /** Text of a file of the repository. */
  read(path: string): string;
  /** Names of the files of a folder. */
  list(folder: string): readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: YAML of any shape, whose shape is what is judged
export type Yaml = any;

/** A service of docker-compose.yml, by its name. */
export type Services = readonly (readonly [name: string, service: Yaml])[];

/** What is mounted where; `source` is a path of the repository or the name of a volume. */
export interface Mount {
  readonly service: string;
  readonly source: string;
  readonly target: string;
  readonly mode: string;
}

export function mountsOf(services: Services): Mount[] {
  return services.flatMap(([service, { volumes = [] }]) =>
    (volumes as string[]).map(volume => {
      const [source = '', target = '', mode = 'rw'] = String(volume).split(':');
      return { service, source, target, mode };
    }),
  );
}
