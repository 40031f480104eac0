import { type Context, TraceFlags, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { SpanFollower, SpanSource } from '../../exporters/pyroscope/spans';

type Labels = Readonly<Record<string, string>>;

/** On a span: the labels of its samples, which are those of the first span of its trace in this process. */
const profiled = Symbol('otel-vitals.profiled');
type Profiled = { [profiled]?: Labels };

/** What makes span profiles of the two things that the SDK lets itself be given. */
export interface SpanProfiles {
  readonly manager: AsyncLocalStorageContextManager;
  readonly processor: SpanProcessor;
  readonly source: SpanSource;
}

/**
 * Tells the profiler whose code runs, and the span where its profile is: the first span of a trace in this process
 * has the attribute `pyroscope.profile.id`, by which Grafana goes from a trace to the profile. Its value is in the
 * label `span_id` of the samples of that span and of all below it.
 *
 * The names are those of Grafana's own packages for Go and Java. Spans that are not sampled have no profile, because
 * nobody could come to it from a trace.
 *
 * @param withTraceId whether the samples carry `trace_id` too
 */
export function createSpanProfiles(withTraceId: boolean): SpanProfiles {
  let follower: SpanFollower | undefined;
  const manager = new ProfiledContextManager(() => follower);
  return {
    manager,
    source: {
      active: () => labelsOf(manager.active()),
      follow(next) {
        follower = next;
      },
    },
    processor: {
      onStart(span, parentContext) {
        if (follower === undefined) return;
        const inherited = labelsOf(parentContext);
        if (inherited !== undefined) {
          (span as Profiled)[profiled] = inherited;
          return;
        }
        const { traceId, spanId, traceFlags } = span.spanContext();
        if ((traceFlags & TraceFlags.SAMPLED) === 0) return;
        span.setAttribute('pyroscope.profile.id', spanId);
        (span as Profiled)[profiled] = { span_id: spanId, ...(withTraceId ? { trace_id: traceId } : {}) };
      },
      onEnd() {},
      forceFlush: async () => {},
      shutdown: async () => {},
    },
  };
}

function labelsOf(context: Context): Labels | undefined {
  return (trace.getSpan(context) as Profiled | undefined)?.[profiled];
}

/** Says when code of another span begins, and where that is needed, when it ends. */
class ProfiledContextManager extends AsyncLocalStorageContextManager {
  readonly #follower: () => SpanFollower | undefined;

  constructor(follower: () => SpanFollower | undefined) {
    super();
    this.#follower = follower;
  }

  override with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const follower = this.#follower();
    if (follower === undefined) return super.with(context, fn, thisArg, ...args);
    const outer = labelsOf(this.active());
    const inner = labelsOf(context);
    if (inner === outer) return super.with(context, fn, thisArg, ...args);
    const run = (): ReturnType<F> => {
      follower.switched(inner);
      try {
        return fn.apply(thisArg, args);
      } finally {
        if (!follower.carries) follower.switched(outer);
      }
    };
    return super.with(context, run);
  }
}
