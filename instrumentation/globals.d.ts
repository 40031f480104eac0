/** Set by the build from package.json; not defined when the sources run unbundled. */
declare const OTEL_VITALS_VERSION: string | undefined;
