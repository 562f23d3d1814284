// Writes what Go's own text/template makes of the templates in ../templates.txt.
//
//	go run main.go < ../templates.txt > ../expected.json
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

type sample struct {
	Labels map[string]string
	Value  float64
}

func data() any {
	return struct {
		Labels map[string]string
		Value  float64
		Count  int
		Rows   []sample
		Empty  []sample
		Any    map[string]any
		On     bool
	}{
		Labels: map[string]string{"instance": "host:9090", "job": "api", "odd": "a\"b<c>'&é\n\t"},
		Value:  1234567.891,
		Count:  -42,
		Rows: []sample{
			{map[string]string{"i": "a"}, 1},
			{map[string]string{"i": "b"}, 0.25},
		},
		Any: map[string]any{"n": 7, "f": 1.5, "s": "text", "nil": nil},
		On:  true,
	}
}

func main() {
	type result struct {
		Template string `json:"template"`
		Text     string `json:"text"`
		Failed   string `json:"failed"` // "", "parse" or "execute"
	}
	out := []result{}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if strings.TrimSpace(in.Text()) == "" {
			continue
		}
		text := strings.ReplaceAll(in.Text(), "⏎", "\n")
		parsed, err := template.New("root").Option("missingkey=zero").Parse(text)
		if err != nil {
			out = append(out, result{text, "", "parse"})
			continue
		}
		var written strings.Builder
		if err := parsed.Execute(&written, data()); err != nil {
			out = append(out, result{text, "", "execute"})
			continue
		}
		out = append(out, result{text, written.String(), ""})
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	_ = encoder.Encode(out)
}
