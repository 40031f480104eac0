import {
  type Metadata,
  Metadata as MetadataClass,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { type Records, recordsOf } from './otlp/records';
import { decodeProtobuf, type OtlpSignal } from './otlp/schema';
import { createWaiting } from './otlp/waiting';

/** What the receiver says to a call: nothing, or an error with its metadata. */
export type GrpcMode =
  | 'ok'
  | 'hang'
  | { readonly code: number; readonly details?: string; readonly bin?: Buffer };

/** A Collector of OTLP/gRPC, on gRPC's own server, on an ephemeral loopback port. */
export interface OtlpGrpcServer {
  readonly url: string;
  readonly received: Records;
  readonly calls: { readonly signal: OtlpSignal; readonly metadata: Metadata; readonly at: number }[];
  mode: GrpcMode;
  until<T>(fits: (received: Records) => T | undefined | false): Promise<T>;
  arrived(count: number): Promise<void>;
  close(): void;
}

const services: Record<OtlpSignal, string> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

export async function startOtlpGrpcServer(
  tls?: { readonly key: string; readonly cert: string },
  patienceMs = 20_000,
): Promise<OtlpGrpcServer> {
  const received: Records = { metrics: [], traces: [], logs: [] };
  const calls: OtlpGrpcServer['calls'] = [];
  const waiting = createWaiting(patienceMs, () => `${calls.length} calls, ${received.traces.length} spans`);
  const server = new Server();

  for (const [signal, service] of Object.entries(services) as [OtlpSignal, string][]) {
    const definition = {
      Export: {
        path: `/${service}/Export`,
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: Buffer) => value,
        requestDeserialize: (value: Buffer) => value,
        responseSerialize: (value: Buffer) => value,
        responseDeserialize: (value: Buffer) => value,
      },
    } satisfies ServiceDefinition;
    server.addService(definition, {
      Export(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
        calls.push({ signal, metadata: call.metadata, at: performance.now() });
        const { mode } = receiver;
        if (mode === 'ok') {
          try {
            (received[signal] as unknown[]).push(...recordsOf(signal, decodeProtobuf(signal, call.request)));
            done(null, Buffer.alloc(0));
          } catch (error) {
            waiting.fail(error);
            done(error as ServiceError);
          }
        } else if (mode !== 'hang') {
          const metadata = new MetadataClass();
          if (mode.bin !== undefined) metadata.set('grpc-status-details-bin', mode.bin);
          done({ code: mode.code, details: mode.details ?? '', metadata });
        }
        waiting.look();
      },
    });
  }

  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) },
        ]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const receiver: OtlpGrpcServer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    received,
    calls,
    mode: 'ok',
    until: fits => waiting.until(() => fits(received)),
    arrived: count => waiting.until(() => calls.length >= count).then(() => {}),
    close: () => server.forceShutdown(),
  };
  return receiver;
}
