// Plays the part of Grafana's server that a Prometheus data source speaks through: the routes of
// its HTTP API that queries, resources and health checks go to, answered by Grafana's own library.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"
	sdklog "github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/grafana/grafana/pkg/promlib"
)

// source is one data source; its UID tells the method it is set to.
type source struct {
	service *promlib.Service
	context backend.PluginContext
}

func newSource(url, method string) source {
	settings := backend.DataSourceInstanceSettings{
		UID: method, URL: url, Updated: time.Now(),
		JSONData: []byte(`{"httpMethod":"` + method + `"}`),
	}
	return source{
		service: promlib.NewService(httpclient.NewProvider(), sdklog.NewNullLogger(), nil),
		context: backend.PluginContext{DataSourceInstanceSettings: &settings, GrafanaConfig: settled},
	}
}

// grafana is a server with data sources, by their UIDs.
type grafana map[string]source

// query is what Grafana's server reads of a query; the rest is the data source's own.
type query struct {
	RefID         string
	IntervalMS    float64
	MaxDataPoints int64
	Datasource    struct{ UID string }
}

func milliseconds(text string) time.Time {
	number, _ := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(number)
}

// queryData answers POST /api/ds/query; all queries go to the data source of the first.
func (g grafana) queryData(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		From, To string
		Queries  []json.RawMessage
	}
	err := json.NewDecoder(r.Body).Decode(&asked)
	if err != nil || len(asked.Queries) == 0 {
		http.Error(w, "a query is not JSON", http.StatusBadRequest)
		return
	}
	window := backend.TimeRange{From: milliseconds(asked.From), To: milliseconds(asked.To)}
	var of source
	request := &backend.QueryDataRequest{}
	for _, raw := range asked.Queries {
		var known query
		if err := json.Unmarshal(raw, &known); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if of.service == nil {
			of = g[known.Datasource.UID]
		}
		request.Queries = append(request.Queries, backend.DataQuery{
			RefID: known.RefID, JSON: raw, MaxDataPoints: known.MaxDataPoints, TimeRange: window,
			Interval: time.Duration(known.IntervalMS) * time.Millisecond,
		})
	}
	request.PluginContext = of.context
	answer, err := of.service.QueryData(configured(r), request)
	respond(w, answer, err)
}

// checkHealth answers GET /api/datasources/uid/UID/health.
func (g grafana) checkHealth(w http.ResponseWriter, r *http.Request) {
	s := g[r.PathValue("uid")]
	result, err := s.service.CheckHealth(configured(r), &backend.CheckHealthRequest{PluginContext: s.context})
	if err != nil {
		respond(w, nil, err)
		return
	}
	respond(w, map[string]any{
		"status": result.Status.String(), "message": result.Message,
		"details": json.RawMessage(result.JSONDetails),
	}, nil)
}

// callResource answers /api/datasources/uid/UID/resources/PATH, whatever the method.
func (g grafana) callResource(w http.ResponseWriter, r *http.Request) {
	s := g[r.PathValue("uid")]
	body, err := io.ReadAll(r.Body)
	if err != nil {
		respond(w, nil, err)
		return
	}
	path := r.PathValue("path")
	sender := backend.CallResourceResponseSenderFunc(func(answer *backend.CallResourceResponse) error {
		for name, values := range answer.Headers {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.Header().Del("Content-Encoding")
		w.WriteHeader(answer.Status)
		_, err := w.Write(answer.Body)
		return err
	})
	err = s.service.CallResource(configured(r), &backend.CallResourceRequest{
		PluginContext: s.context, Path: path, Method: r.Method, Body: body,
		URL: path + "?" + r.URL.RawQuery, Headers: r.Header,
	}, sender)
	if err != nil {
		respond(w, nil, err)
	}
}

func respond(w http.ResponseWriter, answer any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		answer = map[string]string{"message": err.Error()}
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		log.Print(err)
	}
}

// settled is what a Grafana tells its data sources: nothing out of the ordinary.
var settled = backend.NewGrafanaCfg(map[string]string{})

func configured(r *http.Request) context.Context {
	return backend.WithGrafanaConfig(r.Context(), settled)
}

func main() {
	listen, url := os.Args[1], os.Args[2]
	served := grafana{}
	for _, method := range []string{"POST", "GET"} {
		served[method] = newSource(url, method)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /api/ds/query", served.queryData)
	routes.HandleFunc("GET /api/datasources/uid/{uid}/health", served.checkHealth)
	routes.HandleFunc("/api/datasources/uid/{uid}/resources/{path...}", served.callResource)
	log.Fatal(http.ListenAndServe(listen, routes))
}
