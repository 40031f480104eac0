import { stringify } from 'yaml';

export type AlertSeverity = 'critical' | 'warning' | 'info';

/** An alert as Prometheus reads it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: AlertSeverity; readonly [name: string]: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    /** Path of a page of docs/. */
    readonly runbook: string;
  };
}

/** A series that Prometheus computes ahead, for expressions that look far back. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly (AlertRule | RecordingRule)[];
  }[];
}

/** What an alert is made of. */
export interface AlertOptions {
  /** Its name without the prefix. */
  readonly name: string;
  readonly severity: AlertSeverity;
  readonly expr: string;
  /** How long it must hold. */
  readonly for?: string;
  readonly summary: string;
  /** With the value, and where to look. */
  readonly description: string;
  /** A page of docs/runbooks without its ending. */
  readonly runbook: string;
  /** What tells it from others of its name. */
  readonly labels?: Readonly<Record<string, string>>;
}

export function alert(options: AlertOptions): AlertRule {
  return {
    alert: `Vitals${options.name}`,
    expr: options.expr,
    ...(options.for === undefined ? {} : { for: options.for }),
    labels: { ...options.labels, severity: options.severity },
    annotations: {
      summary: options.summary,
      description: options.description,
      runbook: `docs/runbooks/${options.runbook}.md`,
    },
  };
}

/** What is said of one of the two levels. */
interface Level {
  readonly for: string;
  readonly threshold: number;
}

/**
 * Two alerts of one name, at a warning and at a critical level: of the two that fire together, Alertmanager tells the
 * critical one alone.
 */
export function levels(
  options: Omit<AlertOptions, 'severity' | 'for' | 'expr'> & {
    readonly expr: string;
    readonly operator?: '>' | '>=' | '<';
    readonly warning: Level;
    readonly critical: Level;
  },
): AlertRule[] {
  const { expr, operator = '>', warning, critical, ...rest } = options;
  return (['warning', 'critical'] as const).map(severity => {
    const level = severity === 'warning' ? warning : critical;
    return alert({ ...rest, severity, for: level.for, expr: `${expr} ${operator} ${level.threshold}` });
  });
}

/** The file's text. */
export function ruleFile(file: RuleFile): string {
  return `# Generated from grafana/src/rules by \`npm run generate\`.\n${stringify(file, { lineWidth: 0 })}`;
}
