// What OpenTelemetry's own OTTL makes of requests, for tests/integration/ottl_differential.py.
//
// A line of standard input is: context, "condition" or "statement", the text in JSON, and the request in base64, with tabs between
// them. Items for which a condition is met go, with what is empty without them, as the filter processor takes them out; a statement
// is run for each, as the transform processor does. Of each line one is printed: "error" and why where the text is none; else "ran",
// for how many items it could not be run, and what is left of the request, in base64.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottldatapoint"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlmetric"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlresource"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlscope"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspan"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottlspanevent"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
)

var settings = component.TelemetrySettings{Logger: zap.NewNop()}

// One text for all items of a context K: whether an item goes.
type program[K any] struct {
	condition *ottl.Condition[K]
	statement *ottl.Statement[K]
	faults    int
}

func (p *program[K]) drops(item K) bool {
	if p.condition != nil {
		is, err := p.condition.Eval(context.Background(), item)
		if err != nil {
			p.faults++
		}
		return err == nil && is
	}
	if _, _, err := p.statement.Execute(context.Background(), item); err != nil {
		p.faults++
	}
	return false
}

func compile[K any](parser ottl.Parser[K], kind, text string) (*program[K], error) {
	if kind == "condition" {
		condition, err := parser.ParseCondition(text)
		return &program[K]{condition: condition}, err
	}
	statement, err := parser.ParseStatement(text)
	return &program[K]{statement: statement}, err
}

func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

var (
	logs       = must(ottllog.NewParser(ottlfuncs.StandardFuncs[*ottllog.TransformContext](), settings, ottllog.EnablePathContextNames()))
	spans      = must(ottlspan.NewParser(spanFunctions(), settings, ottlspan.EnablePathContextNames()))
	spanEvents = must(ottlspanevent.NewParser(ottlfuncs.StandardFuncs[*ottlspanevent.TransformContext](), settings, ottlspanevent.EnablePathContextNames()))
	metrics    = must(ottlmetric.NewParser(ottlfuncs.StandardFuncs[*ottlmetric.TransformContext](), settings, ottlmetric.EnablePathContextNames()))
	points     = must(ottldatapoint.NewParser(ottlfuncs.StandardFuncs[*ottldatapoint.TransformContext](), settings, ottldatapoint.EnablePathContextNames()))
	resources  = must(ottlresource.NewParser(ottlfuncs.StandardFuncs[*ottlresource.TransformContext](), settings, ottlresource.EnablePathContextNames()))
	scopes     = must(ottlscope.NewParser(ottlfuncs.StandardFuncs[*ottlscope.TransformContext](), settings, ottlscope.EnablePathContextNames()))
)

func spanFunctions() map[string]ottl.Factory[*ottlspan.TransformContext] {
	functions := ottlfuncs.StandardFuncs[*ottlspan.TransformContext]()
	isRoot := ottlfuncs.NewIsRootSpanFactory()
	functions[isRoot.Name()] = isRoot
	return functions
}

func runLogs(kind, text string, body []byte) (int, []byte, error) {
	p, err := compile(logs, kind, text)
	if err != nil {
		return 0, nil, err
	}
	all := must((&plog.ProtoUnmarshaler{}).UnmarshalLogs(body))
	all.ResourceLogs().RemoveIf(func(resource plog.ResourceLogs) bool {
		resource.ScopeLogs().RemoveIf(func(scope plog.ScopeLogs) bool {
			scope.LogRecords().RemoveIf(func(record plog.LogRecord) bool {
				return p.drops(ottllog.NewTransformContext(resource, scope, record))
			})
			return scope.LogRecords().Len() == 0
		})
		return resource.ScopeLogs().Len() == 0
	})
	return p.faults, must((&plog.ProtoMarshaler{}).MarshalLogs(all)), nil
}

func runResources(kind, text string, body []byte) (int, []byte, error) {
	p, err := compile(resources, kind, text)
	if err != nil {
		return 0, nil, err
	}
	all := must((&plog.ProtoUnmarshaler{}).UnmarshalLogs(body))
	all.ResourceLogs().RemoveIf(func(resource plog.ResourceLogs) bool {
		return p.drops(ottlresource.NewTransformContext(resource.Resource(), resource))
	})
	return p.faults, must((&plog.ProtoMarshaler{}).MarshalLogs(all)), nil
}

func runScopes(kind, text string, body []byte) (int, []byte, error) {
	p, err := compile(scopes, kind, text)
	if err != nil {
		return 0, nil, err
	}
	all := must((&plog.ProtoUnmarshaler{}).UnmarshalLogs(body))
	all.ResourceLogs().RemoveIf(func(resource plog.ResourceLogs) bool {
		resource.ScopeLogs().RemoveIf(func(scope plog.ScopeLogs) bool {
			return p.drops(ottlscope.NewTransformContext(scope.Scope(), resource.Resource(), scope, resource))
		})
		return resource.ScopeLogs().Len() == 0
	})
	return p.faults, must((&plog.ProtoMarshaler{}).MarshalLogs(all)), nil
}

func eachSpan(all ptrace.Traces, drops func(ptrace.ResourceSpans, ptrace.ScopeSpans, ptrace.Span) bool) {
	all.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
		resource.ScopeSpans().RemoveIf(func(scope ptrace.ScopeSpans) bool {
			scope.Spans().RemoveIf(func(span ptrace.Span) bool { return drops(resource, scope, span) })
			return scope.Spans().Len() == 0
		})
		return resource.ScopeSpans().Len() == 0
	})
}

func runSpans(kind, text string, body []byte) (int, []byte, error) {
	p, err := compile(spans, kind, text)
	if err != nil {
		return 0, nil, err
	}
	all := must((&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body))
	eachSpan(all, func(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans, span ptrace.Span) bool {
		return p.drops(ottlspan.NewTransformContext(resource, scope, span))
	})
	return p.faults, must((&ptrace.ProtoMarshaler{}).MarshalTraces(all)), nil
}

func runSpanEvents(kind, text string, body []byte) (int, []byte, error) {
	p, err := compile(spanEvents, kind, text)
	if err != nil {
		return 0, nil, err
	}
	all := must((&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(body))
	eachSpan(all, func(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans, span ptrace.Span) bool {
		span.Events().RemoveIf(func(event ptrace.SpanEvent) bool {
			return p.drops(ottlspanevent.NewTransformContext(resource, scope, span, event))
		})
		return false
	})
	return p.faults, must((&ptrace.ProtoMarshaler{}).MarshalTraces(all)), nil
}

func eachMetric(all pmetric.Metrics, drops func(pmetric.ResourceMetrics, pmetric.ScopeMetrics, pmetric.Metric) bool) {
	all.ResourceMetrics().RemoveIf(func(resource pmetric.ResourceMetrics) bool {
		resource.ScopeMetrics().RemoveIf(func(scope pmetric.ScopeMetrics) bool {
			scope.Metrics().RemoveIf(func(metric pmetric.Metric) bool { return drops(resource, scope, metric) })
			return scope.Metrics().Len() == 0
		})
		return resource.ScopeMetrics().Len() == 0
	})
}

func runMetrics(kind, text string, body []byte) (int, []byte, error) {
	p, err := compile(metrics, kind, text)
	if err != nil {
		return 0, nil, err
	}
	all := must((&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(body))
	eachMetric(all, func(resource pmetric.ResourceMetrics, scope pmetric.ScopeMetrics, metric pmetric.Metric) bool {
		return p.drops(ottlmetric.NewTransformContext(resource, scope, metric))
	})
	return p.faults, must((&pmetric.ProtoMarshaler{}).MarshalMetrics(all)), nil
}

func runPoints(kind, text string, body []byte) (int, []byte, error) {
	p, err := compile(points, kind, text)
	if err != nil {
		return 0, nil, err
	}
	all := must((&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(body))
	eachMetric(all, func(resource pmetric.ResourceMetrics, scope pmetric.ScopeMetrics, metric pmetric.Metric) bool {
		drops := func(point any) bool {
			return p.drops(ottldatapoint.NewTransformContext(resource, scope, metric, point))
		}
		switch metric.Type() {
		case pmetric.MetricTypeGauge:
			metric.Gauge().DataPoints().RemoveIf(func(point pmetric.NumberDataPoint) bool { return drops(point) })
			return metric.Gauge().DataPoints().Len() == 0
		case pmetric.MetricTypeSum:
			metric.Sum().DataPoints().RemoveIf(func(point pmetric.NumberDataPoint) bool { return drops(point) })
			return metric.Sum().DataPoints().Len() == 0
		case pmetric.MetricTypeHistogram:
			metric.Histogram().DataPoints().RemoveIf(func(point pmetric.HistogramDataPoint) bool { return drops(point) })
			return metric.Histogram().DataPoints().Len() == 0
		case pmetric.MetricTypeExponentialHistogram:
			metric.ExponentialHistogram().DataPoints().RemoveIf(func(point pmetric.ExponentialHistogramDataPoint) bool { return drops(point) })
			return metric.ExponentialHistogram().DataPoints().Len() == 0
		case pmetric.MetricTypeSummary:
			metric.Summary().DataPoints().RemoveIf(func(point pmetric.SummaryDataPoint) bool { return drops(point) })
			return metric.Summary().DataPoints().Len() == 0
		}
		return false
	})
	return p.faults, must((&pmetric.ProtoMarshaler{}).MarshalMetrics(all)), nil
}

// What breaks upstream's own code is told as that.
func answer(fields []string) (told string) {
	defer func() {
		if broken := recover(); broken != nil {
			told = fmt.Sprintf("panic\t%v", broken)
		}
	}()
	runners := map[string]func(string, string, []byte) (int, []byte, error){
		"log": runLogs, "span": runSpans, "spanevent": runSpanEvents, "metric": runMetrics,
		"datapoint": runPoints, "resource": runResources, "scope": runScopes,
	}
	var text string
	if err := json.Unmarshal([]byte(fields[2]), &text); err != nil {
		panic(err)
	}
	body := must(base64.StdEncoding.DecodeString(fields[3]))
	faults, out, err := runners[fields[0]](fields[1], text, body)
	if err != nil {
		return "error\t" + err.Error()
	}
	return fmt.Sprintf("ran\t%d\t%s", faults, base64.StdEncoding.EncodeToString(out))
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	for in.Scan() {
		fmt.Println(strings.ReplaceAll(answer(strings.Split(in.Text(), "\t")), "\n", " "))
	}
	if err := in.Err(); err != nil {
		panic(err)
	}
}
