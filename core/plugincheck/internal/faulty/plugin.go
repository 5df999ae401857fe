package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// services are the contract's by name, with what this plugin does in them.
func (p *plugin) services() map[string]map[string]handler {
	all := map[string]map[string]handler{
		"PluginService": {"Describe": p.describe, "Configure": p.configure, "CheckHealth": p.checkHealth},
	}
	if p.kind == "source" {
		all["SourceService"] = map[string]handler{"Decode": p.decode}
		return all
	}
	all["TargetService"] = map[string]handler{"Deliver": p.deliver, "Test": p.test}
	if !p.is("verify-unserved") {
		all["VerifyService"] = map[string]handler{"Verify": p.verify}
	}
	if !p.is("folders-unserved") {
		all["FolderService"] = map[string]handler{"ListFolders": p.listFolders}
	}
	return all
}

func (p *plugin) describe(context.Context, object) (object, error) {
	d := object{
		"name": p.fault, "kind": "KIND_" + strings.ToUpper(p.kind), "version": "1.2.3", "summary": "Does one thing wrong.",
		"protocol_version": 1, "config_schema": encode(p.schema()),
	}
	if p.kind == "target" {
		d["features"] = []string{"FEATURE_GROUP", "FEATURE_EDIT", "FEATURE_RAW", "FEATURE_TEST", "FEATURE_PREVIEW", "FEATURE_VERIFY", "FEATURE_FOLDERS"}
	} else {
		d["event_types"] = []any{object{"type": "test", "native_types": []string{"Test"}}}
	}
	switch p.fault {
	case "another-name":
		d["name"] = "saint"
	case "another-kind":
		d["kind"] = map[string]string{"source": "KIND_TARGET", "target": "KIND_SOURCE"}[p.kind]
	case "no-version":
		d["version"] = "latest"
	case "no-summary":
		d["summary"] = ""
	case "another-protocol":
		d["protocol_version"] = 2
	case "offline", "not-offline":
		d["offline"] = true
	case "changes-itself":
		d["summary"] = "It is " + time.Now().String()
	case "feature-of-sources":
		d["features"] = []string{"FEATURE_HISTORY"}
	}
	return d, nil
}

// schema is that of the configuration.
func (p *plugin) schema() any {
	properties := object{
		"url":   object{"type": "string", "description": "Where to post to.", "minLength": 1},
		"token": object{"type": "string", "description": "What the endpoint knows us by.", "writeOnly": true},
		"count": object{"type": "integer", "description": "How many.", "default": 3, "minimum": 1},
	}
	schema := object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
		"properties": properties, "required": []string{"url"}, "additionalProperties": false,
	}
	property := func(name string) object { return properties[name].(object) } //nolint:forcetypeassert // made above
	switch p.fault {
	case "schema-none":
		return nil
	case "schema-text":
		return "object"
	case "schema-broken":
		property("count")["type"] = "integre"
	case "schema-undocumented":
		delete(property("url"), "description")
	case "schema-open":
		delete(schema, "additionalProperties")
	case "schema-open-secret":
		delete(property("token"), "writeOnly")
	case "schema-default":
		property("count")["default"] = 0
	case "schema-requires":
		schema["required"] = []string{"url", "place"}
	case "schema-keyword":
		property("url")["x-hookarr-groop"] = "Endpoint"
	}
	return schema
}

// encode is a value as bytes in the JSON of messages.
func encode(v any) string {
	if v == nil {
		return ""
	}
	data, _ := json.Marshal(v) // its own
	return base64.StdEncoding.EncodeToString(data)
}

func bytesOf(v any) []byte {
	text, _ := v.(string)
	data, _ := base64.StdEncoding.DecodeString(text) // protojson made it
	return data
}

// instances are what is configured.
type instances struct {
	mu  sync.Mutex
	set map[string]settings
	// alone is held by a delivery that bears no other.
	alone sync.Mutex
}

type settings struct {
	url, token string
}

func newInstances() *instances { return &instances{set: map[string]settings{}} }

func (i *instances) get(request object) (settings, error) {
	name, _ := request["instance"].(string)
	i.mu.Lock()
	defer i.mu.Unlock()
	s, ok := i.set[name]
	if !ok {
		return s, status.Errorf(codes.FailedPrecondition, "no instance %q is configured", name)
	}
	return s, nil
}

func (p *plugin) configure(ctx context.Context, request object) (object, error) {
	p.instances.mu.Lock()
	defer p.instances.mu.Unlock()
	next := map[string]settings{}
	var problems, infos []any
	wanted, _ := request["instances"].([]any)
	for _, w := range wanted {
		in, _ := w.(object)
		name, _ := in["name"].(string)
		s, found := p.read(bytesOf(in["config"]))
		for _, problem := range found {
			problem["instance"] = name
			problems = append(problems, problem)
		}
		if len(found) == 0 {
			next[name] = s
			infos = append(infos, object{"name": name, "needs_originals": !p.is("feature-of-sources")})
		} else if old, ok := p.instances.set[name]; ok {
			next[name] = old
		}
	}
	if len(wanted) > 0 && len(problems) == 0 {
		switch p.fault {
		case "waits-when-built":
			<-ctx.Done()
		case "exits-when-built":
			os.Exit(8) //nolint:gocritic // nothing is left to unlock
		}
	}
	if p.is("one-bad-stops-all") && len(problems) > 0 {
		next, infos = map[string]settings{}, nil
	}
	if p.is("forgets-none") {
		kept := maps.Clone(p.instances.set)
		maps.Copy(kept, next)
		next = kept
	}
	if only, _ := request["validate_only"].(bool); !only || p.is("judges-for-real") {
		if p.is("drops-calls") {
			// For a moment there is none.
			p.instances.set = map[string]settings{}
			p.instances.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
			p.instances.mu.Lock()
		}
		p.instances.set = next
	}
	if p.is("names-no-instance") {
		infos = nil
	}
	return object{"problems": problems, "instances": infos}, nil
}

// read reads a configuration, or says what is wrong with it.
func (p *plugin) read(data []byte) (settings, []object) {
	var config object
	if err := json.Unmarshal(data, &config); err != nil {
		return settings{}, []object{{"message": "is no object"}}
	}
	var problems []object
	problem := func(key, message string) {
		if p.is("names-no-key") {
			key = ""
		}
		problems = append(problems, object{"key": key, "message": message})
	}
	if p.is("refuses-all") {
		problem("url", "is not to its liking")
	}
	for key := range config {
		switch {
		case key == "url", key == "token", key == "count", p.is("takes-unknown-keys"):
		case p.is("repeats-values"):
			problem(key, fmt.Sprintf("is unknown, with %v", config[key]))
		default:
			problem(key, "is an unknown key")
		}
	}
	s := settings{}
	var ok bool
	if s.url, ok = config["url"].(string); !ok || s.url == "" {
		if _, has := config["url"]; has || !p.is("needs-nothing") {
			problem("url", "needs a text")
		}
	}
	if v, has := config["token"]; has {
		if s.token, ok = v.(string); !ok {
			message := "needs a text"
			if p.is("tells-in-problem") {
				message = fmt.Sprintf("%v is no text", v)
			}
			problem("token", message)
		}
	}
	if v, has := config["count"]; has && !p.is("takes-any-type") {
		if _, ok := v.(float64); !ok {
			problem("count", "needs a number")
		}
	}
	if p.is("panics-when-built") && len(problems) == 0 {
		problem("", "the plugin panicked while it read this: no such table")
	}
	return s, problems
}

func (p *plugin) checkHealth(context.Context, object) (object, error) {
	if p.is("sick") {
		return nil, status.Error(codes.Internal, "not well")
	}
	return object{}, nil
}

func unreadable(body []byte, into any) bool { return json.Unmarshal(body, into) != nil }

// decode makes an event of a request.
func (p *plugin) decode(_ context.Context, request object) (object, error) {
	if _, err := p.instances.get(request); err != nil {
		return nil, err
	}
	if p.is("not-offline") {
		if _, err := os.ReadFile("/etc/passwd"); err != nil {
			return nil, status.Error(codes.Internal, "read the users of this computer")
		}
	}
	original, _ := request["request"].(object)
	body := bytesOf(original["body"])
	invalid := object{"invalid": object{"reason": "is no JSON object"}}
	var fields object
	garbage := unreadable(body, &fields)
	switch {
	case garbage && p.is("breaks-of-garbage"):
		return nil, status.Error(codes.Internal, "unexpected token")
	case garbage && p.is("dies-of-garbage") && len(body) > 0 && body[0] == '<':
		os.Exit(2)
	case garbage && p.is("takes-garbage"):
		return object{"event": encode(object{"type": "test", "title": "T", "id": request["id"]})}, nil
	case garbage:
		return invalid, nil
	}
	event := object{"id": request["id"], "source": "check", "app": "faulty", "type": "test", "title": "A test", "summary": "A test", "time": "2026-01-02T03:04:05Z"}
	switch p.fault {
	case "impure":
		event["time"] = time.Now().Format(time.RFC3339Nano)
	case "untitled":
		event["title"] = ""
	}
	if fields["eventType"] == "Test" && fields["title"] == "Check" && p.is("answers-nothing") {
		return object{}, nil
	}
	if fields["eventType"] != "Test" {
		return object{"skip": object{"reason": "not a test: " + strconv.Itoa(len(body)) + " bytes"}}, nil
	}
	return object{"event": encode(event)}, nil
}
