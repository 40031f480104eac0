import { stringify } from 'yaml';

/** An alert as Prometheus reads it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: 'critical' | 'warning' | 'info' };
  readonly annotations: { readonly summary: string; readonly description: string };
}

export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

/** The file's text. */
export function ruleFile(file: RuleFile): string {
  return `# Generated from grafana/src/rules by \`npm run generate\`.\n${stringify(file, { lineWidth: 0 })}`;
}
