"""What Prometheus' configuration knows and qvmon does not do yet; each is named in a warning."""

TOP_LEVEL = frozenset(
    {
        "alerting",
        "otlp",
        "remote_read",
        "remote_write",
        "runtime",
        "scrape_config_files",
        "storage",
        "tracing",
    }
)
"""Sections of the file."""

GLOBAL = frozenset(
    {
        "always_scrape_classic_histograms",
        "convert_classic_histograms_to_nhcb",
        "metric_name_escaping_scheme",
        "metric_name_validation_scheme",
        "query_log_file",
        "rule_query_offset",
        "scrape_failure_log_file",
        "scrape_native_histograms",
    }
)
"""Keys of ``global``."""

TLS = frozenset(
    {
        "ca",
        "ca_ref",
        "cert",
        "cert_ref",
        "key",
        "key_ref",
        "max_version",
        "min_version",
    }
)
"""Keys of ``tls_config``."""

_DISCOVERIES = frozenset(
    {
        "aws",
        "azure",
        "consul",
        "digitalocean",
        "dns",
        "docker",
        "dockerswarm",
        "ec2",
        "ecs",
        "elasticache",
        "eureka",
        "gce",
        "hetzner",
        "http",
        "ionos",
        "kubernetes",
        "kuma",
        "lightsail",
        "linode",
        "marathon",
        "msk",
        "nerve",
        "nomad",
        "oci",
        "openstack",
        "outscale",
        "ovhcloud",
        "puppetdb",
        "rds",
        "scaleway",
        "serverset",
        "stackit",
        "triton",
        "uyuni",
        "vultr",
    }
)

SCRAPE = frozenset(
    {
        "always_scrape_classic_histograms",
        "convert_classic_histograms_to_nhcb",
        "metric_name_escaping_scheme",
        "metric_name_validation_scheme",
        "native_histogram_bucket_limit",
        "native_histogram_min_bucket_factor",
        "no_proxy",
        "oauth2",
        "proxy_connect_header",
        "proxy_from_environment",
        "proxy_url",
        "scrape_failure_log_file",
        "scrape_native_histograms",
    }
) | {f"{name}_sd_configs" for name in _DISCOVERIES}
"""Keys of a ``scrape_configs`` entry."""
