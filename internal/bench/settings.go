package main

import (
	"encoding/json"
	"path/filepath"
	"time"
)

const (
	sourceSecret = "a-source-secret-for-the-bench"
	deskToken    = "a-token-for-the-bench"
	targetSecret = "whsec_YS10YXJnZXQtc2VjcmV0LWZvci10aGUtYmVuY2g="
	// sourceName and targetName are what the events come from and go to.
	sourceName = "radarr"
	targetName = "ops"
)

// settings are what a server is started with.
type settings struct {
	// bin has hookarr and plugins/; dir is for the configuration and the log.
	bin, dir string
	database string
	endpoint string
	// workers is how many attempts the target may have under way.
	workers int
	// others are additional targets. Nothing is routed to them but to those named in
	// routed.
	others []target
	routed []string
	// plugins are those of more sources, to which nothing is sent.
	plugins []string
	// traces is where traces are sent, if anywhere, and sample the part of the events.
	traces string
	sample float64
	// desk has operators asked for a token, on an address of their own.
	desk bool
	// retention is of events; 0 is the default.
	retention time.Duration
}

type target struct {
	name, plugin string
	timeout      time.Duration
	workers      int
	config       map[string]any
}

func webhook(name, endpoint string) target {
	return target{name: name, plugin: "webhook", config: webhookConfig(endpoint)}
}

func webhookConfig(endpoint string) map[string]any {
	return map[string]any{"url": endpoint, "secrets": []string{targetSecret}, "format": "standard"}
}

// yaml is the configuration; JSON is YAML.
func (s settings) yaml(listen, desk string) ([]byte, error) {
	type object = map[string]any
	plugins, err := filepath.Abs(filepath.Join(s.bin, "plugins"))
	if err != nil {
		return nil, err
	}
	targets := object{}
	for _, t := range append([]target{{name: targetName, plugin: "webhook", workers: s.workers, config: webhookConfig(s.endpoint)}}, s.others...) {
		one := object{"plugin": t.plugin, "config": t.config}
		if t.workers != 0 {
			one["concurrency"] = t.workers
		}
		if t.timeout != 0 {
			one["timeout"] = t.timeout.String()
		}
		targets[t.name] = one
	}
	auth := []any{object{"hmac": object{"preset": "github", "secrets": []string{sourceSecret}}}}
	sources := object{sourceName: object{"plugin": "radarr", "auth": auth}}
	for _, plugin := range s.plugins {
		sources[plugin] = object{"plugin": plugin, "auth": auth}
	}
	config := object{
		"listen":   listen,
		"database": object{"url": s.database},
		"plugins":  object{"dir": plugins, "lock": filepath.Join(s.dir, "plugins.lock")},
		"shutdown": object{"drain": "2s"}, // an endpoint may hang on purpose
		"sources":  sources,
		"targets":  targets,
		"routes":   []any{object{"name": "everything", "to": append([]string{targetName}, s.routed...)}},
	}
	if s.traces != "" {
		config["tracing"] = object{"endpoint": s.traces, "sample": s.sample}
	}
	if s.desk {
		config["admin"] = object{"listen": desk, "tokens": []any{object{"name": "bench", "role": "operate", "token": deskToken}}}
	}
	if s.retention != 0 {
		config["retention"] = object{"events": s.retention.String()}
	}
	return json.MarshalIndent(config, "", "  ")
}
