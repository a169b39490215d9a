import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Sends so many spans, points and records: java Send TRANSPORT ENDPOINT TOKEN CUSTOMER COUNT
 * COMPRESSION. TRANSPORT is grpc or http (protobuf). Ends with 1 where one signal was not taken.
 */
public final class Send {
  private static boolean isTaken = true;

  private static void await(String what, CompletableResultCode result) {
    result.join(30, TimeUnit.SECONDS);
    if (!result.isSuccess()) {
      System.err.println(what + " were not taken: " + result.getFailureThrowable());
      isTaken = false;
    }
  }

  public static void main(String[] words) {
    boolean isGrpc = words[0].equals("grpc");
    String endpoint = words[1];
    String authorization = "Bearer " + words[2];
    int count = Integer.parseInt(words[4]);
    String compression = words[5];
    SpanExporter spans = isGrpc
        ? OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).addHeader("authorization", authorization)
            .setCompression(compression).build()
        : OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").addHeader("authorization", authorization)
            .setCompression(compression).build();
    MetricExporter metrics = isGrpc
        ? OtlpGrpcMetricExporter.builder().setEndpoint(endpoint).addHeader("authorization", authorization)
            .setCompression(compression).build()
        : OtlpHttpMetricExporter.builder().setEndpoint(endpoint + "/v1/metrics").addHeader("authorization", authorization)
            .setCompression(compression).build();
    LogRecordExporter logs = isGrpc
        ? OtlpGrpcLogRecordExporter.builder().setEndpoint(endpoint).addHeader("authorization", authorization)
            .setCompression(compression).build()
        : OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint + "/v1/logs").addHeader("authorization", authorization)
            .setCompression(compression).build();

    Resource resource = Resource.create(
        Attributes.builder().put("customer.id", words[3]).put("node.id", "n1").put("service.name", "java-sdk").build());
    SdkTracerProvider tracers = SdkTracerProvider.builder().setResource(resource)
        .addSpanProcessor(BatchSpanProcessor.builder(spans).build()).build();
    SdkMeterProvider meters = SdkMeterProvider.builder().setResource(resource)
        .registerMetricReader(PeriodicMetricReader.builder(metrics).setInterval(Duration.ofHours(1)).build()).build();
    SdkLoggerProvider loggers = SdkLoggerProvider.builder().setResource(resource)
        .addLogRecordProcessor(BatchLogRecordProcessor.builder(logs).build()).build();
    for (int n = 0; n < count; n++) {
      String name = "item_" + n;
      tracers.get("test").spanBuilder(name).startSpan().end();
      meters.get("test").gaugeBuilder(name).build().set(n + 0.5);
      loggers.get("test").logRecordBuilder().setBody(name).emit();
    }
    // Of the meters the end itself: it sends what a flush has sent once more.
    await("spans", tracers.forceFlush());
    await("records", loggers.forceFlush());
    await("points", meters.shutdown());
    tracers.shutdown();
    loggers.shutdown();
    System.exit(isTaken ? 0 : 1);
  }
}
