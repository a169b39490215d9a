// Sends so many spans, points and records by one of OTLP's transports: node send.mjs TRANSPORT ENDPOINT TOKEN CUSTOMER COUNT COMPRESSION
// TRANSPORT is grpc, proto (HTTP, protobuf) or http (HTTP, JSON). Ends with 1 where one signal was not taken.
import { Metadata, credentials } from "@grpc/grpc-js";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [transport, endpoint, token, customer, count, compression] = process.argv.slice(2);
const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${transport}`);
const { OTLPMetricExporter } = await import(`@opentelemetry/exporter-metrics-otlp-${transport}`);
const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${transport}`);

function settings(path) {
  if (transport !== "grpc") return { url: `${endpoint}/v1/${path}`, headers: { authorization: `Bearer ${token}` }, compression };
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return { url: endpoint, metadata, credentials: credentials.createInsecure(), compression };
}

let failed = 0;
/** Counts what an exporter calls a failure, which the SDK only logs. */
function watched(exporter) {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) {
        failed += 1;
        console.error(result.error);
      }
      done(result);
    });
  return exporter;
}

const resource = resourceFromAttributes({ "customer.id": customer, "node.id": "n1", "service.name": "node-sdk" });
const tracers = new BasicTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(watched(new OTLPTraceExporter(settings("traces"))))] });
const reader = new PeriodicExportingMetricReader({ exporter: watched(new OTLPMetricExporter(settings("metrics"))), exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ resource, readers: [reader] });
const loggers = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter: watched(new OTLPLogExporter(settings("logs"))) })] });
for (let n = 0; n < Number(count); n += 1) {
  tracers.getTracer("test").startSpan(`item_${n}`).end();
  meters.getMeter("test").createGauge(`item_${n}`).record(n + 0.5);
  loggers.getLogger("test").emit({ body: `item_${n}` });
}
// The meters' end sends once more what a flush has sent.
for (const provider of [tracers, meters, loggers]) await provider.shutdown();
process.exitCode = failed === 0 ? 0 : 1;
