// Asks a Prometheus-compatible server what Grafana's data source asks it, with Grafana's own code.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/grafana/grafana/pkg/promlib"
)

func check(err error) {
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
}

func main() {
	base, metric, end := os.Args[1], os.Args[2], time.Now()
	if len(os.Args) > 3 {
		parsed, err := time.Parse(time.RFC3339, os.Args[3])
		check(err)
		end = parsed
	}
	service := promlib.NewService(httpclient.NewProvider(), log.DefaultLogger, nil)
	for _, method := range []string{"POST", "GET"} {
		settings := backend.DataSourceInstanceSettings{
			UID: "qvmon-" + method, URL: base, Updated: time.Now(),
			JSONData: []byte(`{"httpMethod":"` + method + `"}`),
		}
		plugin := backend.PluginContext{DataSourceInstanceSettings: &settings}
		ctx := backend.WithGrafanaConfig(context.Background(), backend.NewGrafanaCfg(map[string]string{}))
		health, err := service.CheckHealth(ctx, &backend.CheckHealthRequest{PluginContext: plugin})
		check(err)
		fmt.Println(method, "health:", health.Status, health.Message, string(health.JSONDetails))
		span := backend.TimeRange{From: end.Add(-time.Hour), To: end}
		for name, model := range map[string]string{
			"range":     `{"expr":"` + metric + `","range":true,"refId":"A"}`,
			"instant":   `{"expr":"` + metric + `","instant":true,"refId":"A"}`,
			"rate":      `{"expr":"rate(` + metric + `[$__rate_interval])","range":true,"refId":"A"}`,
			"scalar":    `{"expr":"1+1","instant":true,"refId":"A"}`,
			"exemplars": `{"expr":"` + metric + `","range":true,"exemplar":true,"refId":"A"}`,
			"error":     `{"expr":"sum(","range":true,"refId":"A"}`,
		} {
			answer, err := service.QueryData(ctx, &backend.QueryDataRequest{
				PluginContext: plugin,
				Queries: []backend.DataQuery{{
					RefID: "A", TimeRange: span, Interval: 15 * time.Second,
					MaxDataPoints: 500, JSON: []byte(model),
				}},
			})
			check(err)
			response := answer.Responses["A"]
			rows := 0
			for _, frame := range response.Frames {
				rows += frame.Rows()
			}
			fmt.Println(method, name+":", "status", response.Status, "frames", len(response.Frames), "rows", rows, "error", response.Error)
		}
		window := url.Values{"start": {fmt.Sprint(span.From.Unix())}, "end": {fmt.Sprint(span.To.Unix())}, "limit": {"40000"}}
		for _, path := range []string{
			"api/v1/labels", "api/v1/label/__name__/values", "api/v1/series?match[]=" + metric,
			"api/v1/metadata", "api/v1/status/buildinfo", "api/v1/rules", "api/v1/query_exemplars?query=" + metric,
			"version-detect",
		} {
			bare, query, _ := strings.Cut(path, "?")
			full := window.Encode()
			if query != "" {
				full += "&" + strings.ReplaceAll(query, "match[]", "match%5B%5D")
			}
			send := backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error {
				var shown struct{ Status string }
				decoded := json.Unmarshal(r.Body, &shown) == nil
				fmt.Println(method, bare+":", r.Status, shown.Status, decoded, len(r.Body))
				return nil
			})
			check(service.CallResource(ctx, &backend.CallResourceRequest{
				PluginContext: plugin, Path: bare, URL: bare + "?" + full, Method: method,
			}, send))
		}
	}
}
