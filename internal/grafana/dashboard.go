// Package grafana reads the dashboard of examples/grafana, asks a real Prometheus what its
// panels ask, and draws the answers. It is for tests and for the picture in the
// documentation, where Grafana itself is not at hand.
package grafana

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Dashboard is as much of Grafana's format as is needed here.
type Dashboard struct {
	Title         string  `json:"title"`
	SchemaVersion int     `json:"schemaVersion"`
	Panels        []Panel `json:"panels"`
	Templating    struct {
		List []Variable `json:"list"`
	} `json:"templating"`
}

// Variable is one that people choose the value of.
type Variable struct {
	Name  string          `json:"name"`
	Type  string          `json:"type"`
	Query json.RawMessage `json:"query"`
}

// Panel is a row, or a plot with its queries.
type Panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	GridPos     struct {
		X, Y, W, H int
	} `json:"gridPos"`
	Datasource struct {
		UID string `json:"uid"`
	} `json:"datasource"`
	FieldConfig struct {
		Defaults struct {
			Unit     string `json:"unit"`
			Mappings []struct {
				Options map[string]struct {
					Text string `json:"text"`
				} `json:"options"`
			} `json:"mappings"`
			Thresholds struct {
				Steps []struct {
					Color string   `json:"color"`
					Value *float64 `json:"value"`
				} `json:"steps"`
			} `json:"thresholds"`
			Custom struct {
				Stacking struct {
					Mode string `json:"mode"`
				} `json:"stacking"`
			} `json:"custom"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Options struct {
		TextMode string `json:"textMode"`
	} `json:"options"`
	Targets []Query `json:"targets"`
}

// Query is what a panel asks.
type Query struct {
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
	Instant      bool   `json:"instant"`
}

// Read reads a dashboard.
func Read(file string) (Dashboard, error) {
	var d Dashboard
	content, err := os.ReadFile(file)
	if err != nil {
		return d, fmt.Errorf("read dashboard: %w", err)
	}
	if err := json.Unmarshal(content, &d); err != nil {
		return d, fmt.Errorf("read dashboard %s: %w", file, err)
	}
	return d, nil
}

// PromQL returns the expression with the dashboard's variables replaced, as Grafana does.
func (q Query) PromQL(job, interval string) string {
	return strings.NewReplacer("$job", job, "$instance", ".*", "$__rate_interval", interval).Replace(q.Expr)
}

var unknownLabel = regexp.MustCompile(`\{\{\w+\}\}`)

// Legend returns what a series is called. A label that it does not have is left out.
func (q Query) Legend(labels map[string]string) string {
	name := q.LegendFormat
	for key, value := range labels {
		name = strings.ReplaceAll(name, "{{"+key+"}}", value)
	}
	return strings.TrimSpace(unknownLabel.ReplaceAllString(name, ""))
}
