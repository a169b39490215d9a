// What Prometheus' own parser says of queries, for tests/integration/test_promql_parser.py.
//
// A query is a line of standard input, as a JSON string. Of each a line is printed: {"text":…}, as Prometheus prints it,
// or {"error":…}. With `queries` and folders or files behind it: the queries of promqltest's files (`eval …`) and of
// the Go files (strings that are passed as `input:`), instead, a line each.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

var (
	evalLine  = regexp.MustCompile(`^eval(?:_\w+)?\s+(?:instant(?:\s+at\s+\S+)?|range\s+from\s+\S+\s+to\s+\S+\s+step\s+\S+)\s+(.*\S)\s*$`)
	inputLine = regexp.MustCompile("^\\s*(?:input|expr|in|query)?:?\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`),?\\s*$")
)

func printLine(out *bufio.Writer, value any) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
}

func judge() error {
	parse := parser.NewParser(parser.Options{
		EnableExperimentalFunctions:  true,
		ExperimentalDurationExpr:     true,
		EnableExtendedRangeSelectors: true,
		EnableBinopFillModifiers:     true,
	})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var query string
		if err := json.Unmarshal(in.Bytes(), &query); err != nil {
			return fmt.Errorf("%q: %w", in.Text(), err)
		}
		if expr, err := parse.ParseExpr(query); err != nil {
			printLine(out, map[string]string{"error": err.Error()})
		} else {
			printLine(out, map[string]string{"text": expr.String()})
		}
	}
	return in.Err()
}

func queriesOf(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var found []string
	in := bufio.NewScanner(file)
	in.Buffer(make([]byte, 1<<20), 1<<24)
	for in.Scan() {
		if strings.HasSuffix(path, ".test") {
			if match := evalLine.FindStringSubmatch(in.Text()); match != nil {
				found = append(found, match[1])
			}
		} else if match := inputLine.FindStringSubmatch(in.Text()); match != nil {
			if text, err := strconv.Unquote(match[1]); err == nil {
				found = append(found, text)
			}
		}
	}
	return found, in.Err()
}

func listQueries(roots []string) error {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !(strings.HasSuffix(path, ".test") || strings.HasSuffix(path, "_test.go")) {
				return err
			}
			queries, err := queriesOf(path)
			for _, query := range queries {
				printLine(out, query)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	var err error
	if len(os.Args) > 1 && os.Args[1] == "queries" {
		err = listQueries(os.Args[2:])
	} else {
		err = judge()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
