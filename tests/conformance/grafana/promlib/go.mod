module qvmon.example/grafana-client

go 1.23.1

require github.com/grafana/grafana/pkg/promlib v0.0.8
