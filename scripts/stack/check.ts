import { parse } from 'yaml';
import { provisioningProblems } from './provisioning';
import { serviceProblems } from './services';
import type { StackFiles, Yaml } from './types';

/**
 * What is wrong with the compose stack, as far as its files tell: pinned images, hardening, limits, health checks,
 * ports, mounts, and the files that Prometheus, Alertmanager and Grafana are given. Asks no network and no Docker.
 */
export function stackProblems(files: StackFiles): string[] {
  const compose = parse(files.read('docker-compose.yml'), { merge: true }) as Yaml;
  const services = Object.entries(compose.services ?? {});
  if (services.length === 0) return ['docker-compose.yml: expected services'];
  return [...serviceProblems(compose, services, files), ...provisioningProblems(services, files)];
}
