// What Prometheus' own OTLP endpoint makes of metrics, for tests/integration/test_otlp_translation.py.
//
// A request is a line of standard input, ExportMetricsServiceRequest in base64. Of each a line is printed: its samples, sorted,
// with tabs between them, then U+001E and the errors. The argument is the translation strategy.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

func quote(out *strings.Builder, text string) {
	out.WriteByte('"')
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < 0x20:
			fmt.Fprintf(out, "\\u%04x", c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
}

// How a number is spelt is no difference; which number it is would be.
func number(v float64) string {
	if value.IsStaleNaN(v) {
		return "stale"
	}
	if math.IsNaN(v) {
		return "NaN"
	}
	return fmt.Sprintf("%016x", math.Float64bits(v))
}

func writeLabels(out *strings.Builder, ls labels.Labels, spelt bool) {
	names := map[string]string{}
	ls.Range(func(l labels.Label) { names[l.Name] = l.Value })
	keys := make([]string, 0, len(names))
	for name := range names {
		keys = append(keys, name)
	}
	sort.Strings(keys)
	for _, name := range keys {
		text := names[name]
		if spelt && (name == "le" || name == "quantile") {
			if v, err := strconv.ParseFloat(text, 64); err == nil {
				text = number(v)
			}
		}
		quote(out, name)
		out.WriteByte('=')
		quote(out, text)
		out.WriteByte(',')
	}
}

func writeBuckets(out *strings.Builder, spans []histogram.Span, deltas []int64) {
	index, at := int32(0), 0
	count := int64(0)
	for _, span := range spans {
		index += span.Offset
		for i := uint32(0); i < span.Length; i++ {
			count += deltas[at]
			at++
			if count != 0 {
				fmt.Fprintf(out, " %d:%d", index, count)
			}
			index++
		}
	}
}

type sink struct{ samples []string }

func (s *sink) Append(_ storage.SeriesRef, ls labels.Labels, _, t int64, v float64, h *histogram.Histogram, _ *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	var out strings.Builder
	writeLabels(&out, ls, true)
	fmt.Fprintf(&out, " @%d", t)
	if h == nil {
		out.WriteString(" " + number(v))
	} else {
		fmt.Fprintf(&out, " native %d %s %d zero %s %d +", h.Count, number(h.Sum), h.Schema, number(h.ZeroThreshold), h.ZeroCount)
		writeBuckets(&out, h.PositiveSpans, h.PositiveBuckets)
		out.WriteString(" -")
		writeBuckets(&out, h.NegativeSpans, h.NegativeBuckets)
	}
	examples := append([]exemplar.Exemplar(nil), opts.Exemplars...)
	sort.SliceStable(examples, func(i, j int) bool { return examples[i].Ts < examples[j].Ts })
	for _, e := range examples {
		out.WriteString(" # ")
		writeLabels(&out, e.Labels, false)
		fmt.Fprintf(&out, " %s @%d", number(e.Value), e.Ts)
	}
	s.samples = append(s.samples, out.String())
	return 0, nil
}
func (*sink) Commit() error   { return nil }
func (*sink) Rollback() error { return nil }

func translate(body []byte, strategy otlptranslator.TranslationStrategyOption) (line string) {
	to := &sink{}
	told := ""
	defer func() {
		if fault := recover(); fault != nil {
			told = fmt.Sprintf("panic: %v", fault)
		}
		sort.Strings(to.samples)
		line = strings.Join(to.samples, "\t") + "\x1e" + strings.ReplaceAll(told, "\n", "; ")
	}()
	request := pmetricotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		told = "unreadable: " + err.Error()
		return
	}
	promoted := prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
		PromoteResourceAttributes: []string{"environment", "node.id", "node.region"},
	})
	_, err := prometheusremotewrite.NewPrometheusConverter(to).FromMetrics(context.Background(), request.Metrics(), prometheusremotewrite.Settings{
		AddMetricSuffixes:               strategy.ShouldAddSuffixes(),
		AllowUTF8:                       !strategy.ShouldEscape(),
		PromoteResourceAttributes:       promoted,
		PromoteScopeMetadata:            true,
		LabelNameUnderscoreSanitization: true,
	})
	if err != nil {
		told = err.Error()
	}
	return
}

func main() {
	strategy := otlptranslator.TranslationStrategyOption(os.Args[1])
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<24)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for in.Scan() {
		body, err := base64.StdEncoding.DecodeString(in.Text())
		if err != nil {
			panic(err)
		}
		out.WriteString(translate(body, strategy))
		out.WriteByte('\n')
	}
	if in.Err() != nil {
		panic(in.Err())
	}
}
