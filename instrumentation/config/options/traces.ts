import { option, optional } from '../option';
import * as as from '../parsers';

const group = 'Traces and logs';

const ms = as.integer(1, 3_600_000);
const items = as.integer(1, 1_000_000);
const limit = as.integer(0, 1_000_000);
const noLimit = { defaultText: 'no limit' };

/** Variables that OpenTelemetry's specification has for the SDK's traces and logs, with its defaults. */
export const tracesOptions = {
  tracesExporters: option(
    group,
    'OTEL_TRACES_EXPORTER',
    optional(as.listOf('otlp', 'console', 'none')),
    undefined,
    'Where traces go.',
    {
      defaultText: 'none; otlp once OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set',
    },
  ),
  logsExporters: option(
    group,
    'OTEL_LOGS_EXPORTER',
    optional(as.listOf('otlp', 'console', 'none')),
    undefined,
    'Where log records go that are made through the OpenTelemetry logs API.',
    { defaultText: 'none; otlp once OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT is set' },
  ),
  sampler: option(
    group,
    'OTEL_TRACES_SAMPLER',
    as.oneOf(
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ),
    'parentbased_always_on',
    'Which traces are recorded.',
  ),
  samplerRatio: option(
    group,
    'OTEL_TRACES_SAMPLER_ARG',
    as.ratio,
    1,
    'Share of the traces that the two `traceidratio` samplers record.',
  ),
  propagators: option(
    group,
    'OTEL_PROPAGATORS',
    as.listOf('tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'none'),
    ['tracecontext', 'baggage'],
    'Headers by which a trace goes from one process to the next.',
  ),
  spanDelayMs: option(group, 'OTEL_BSP_SCHEDULE_DELAY', ms, 5000, 'Milliseconds between exports of spans.'),
  spanTimeoutMs: option(
    group,
    'OTEL_BSP_EXPORT_TIMEOUT',
    ms,
    30_000,
    'Milliseconds that one export of spans may take; OTEL_EXPORTER_OTLP_TIMEOUT ends it sooner.',
  ),
  spanQueueSize: option(
    group,
    'OTEL_BSP_MAX_QUEUE_SIZE',
    items,
    2048,
    'Spans that wait for an export; what comes past it is dropped.',
  ),
  spanBatchSize: option(group, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', items, 512, 'Spans per export, at most.'),
  logDelayMs: option(
    group,
    'OTEL_BLRP_SCHEDULE_DELAY',
    ms,
    1000,
    'Milliseconds between exports of log records.',
  ),
  logTimeoutMs: option(
    group,
    'OTEL_BLRP_EXPORT_TIMEOUT',
    ms,
    30_000,
    'Milliseconds that one export of log records may take; OTEL_EXPORTER_OTLP_TIMEOUT ends it sooner.',
  ),
  logQueueSize: option(
    group,
    'OTEL_BLRP_MAX_QUEUE_SIZE',
    items,
    2048,
    'Log records that wait for an export; what comes past it is dropped.',
  ),
  logBatchSize: option(
    group,
    'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE',
    items,
    512,
    'Log records per export, at most.',
  ),
  attributeCountLimit: option(
    group,
    'OTEL_ATTRIBUTE_COUNT_LIMIT',
    limit,
    128,
    'Attributes of a span or log record.',
  ),
  attributeLengthLimit: option(
    group,
    'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    optional(limit),
    undefined,
    'Characters of an attribute of a span or log record; the rest is cut off.',
    noLimit,
  ),
  spanAttributeCountLimit: option(
    group,
    'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
    optional(limit),
    undefined,
    'Attributes of a span.',
    { defaultText: 'OTEL_ATTRIBUTE_COUNT_LIMIT' },
  ),
  spanAttributeLengthLimit: option(
    group,
    'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    optional(limit),
    undefined,
    'Characters of an attribute of a span.',
    { defaultText: 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT' },
  ),
  spanEventCountLimit: option(group, 'OTEL_SPAN_EVENT_COUNT_LIMIT', limit, 128, 'Events of a span.'),
  spanLinkCountLimit: option(group, 'OTEL_SPAN_LINK_COUNT_LIMIT', limit, 128, 'Links of a span.'),
  eventAttributeCountLimit: option(
    group,
    'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
    limit,
    128,
    "Attributes of a span's event.",
  ),
  linkAttributeCountLimit: option(
    group,
    'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT',
    limit,
    128,
    "Attributes of a span's link.",
  ),
  logAttributeCountLimit: option(
    group,
    'OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT',
    optional(limit),
    undefined,
    'Attributes of a log record.',
    { defaultText: 'OTEL_ATTRIBUTE_COUNT_LIMIT' },
  ),
  logAttributeLengthLimit: option(
    group,
    'OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    optional(limit),
    undefined,
    'Characters of an attribute of a log record.',
    { defaultText: 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT' },
  ),
} as const;
