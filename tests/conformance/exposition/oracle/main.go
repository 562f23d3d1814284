// Reads pages from a JSON file and tells what Prometheus' parser makes of each.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

type page struct {
	Type string `json:"type"`
	Body []byte `json:"body"`
}
type sample struct {
	Labels [][2][]byte `json:"labels"`
	Bits   uint64      `json:"bits"`
	Time   *int64      `json:"time"`
}
type verdict struct {
	Error   string   `json:"error"`
	Samples []sample `json:"samples"`
}

func read(p page) (v verdict) {
	parser, err := textparse.New(p.Body, p.Type, labels.NewSymbolTable(), textparse.ParserOptions{})
	if parser == nil {
		return verdict{Error: err.Error()}
	}
	v.Samples = []sample{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return v
		}
		if err != nil {
			return verdict{Error: err.Error()}
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, ts, value := parser.Series()
		var set labels.Labels
		parser.Labels(&set)
		s := sample{Bits: math.Float64bits(value)}
		if ts != nil {
			t := *ts
			s.Time = &t
		}
		set.Range(func(l labels.Label) { s.Labels = append(s.Labels, [2][]byte{[]byte(l.Name), []byte(l.Value)}) })
		v.Samples = append(v.Samples, s)
	}
}

func main() {
	var pages []page
	if err := json.NewDecoder(os.Stdin).Decode(&pages); err != nil {
		panic(err)
	}
	verdicts := make([]verdict, len(pages))
	for i, p := range pages {
		verdicts[i] = read(p)
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		panic(err)
	}
}
