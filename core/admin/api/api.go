// Package api is the operators' HTTP API over an admin.Service: OpenAPI 3.1, problems by
// RFC 9457, lists with opaque cursors. It asks nobody who they are; package access does.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"reflect"
	"runtime/debug"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Prefix begins every path of the API.
const Prefix = "/api/v1"

// Options are what the API is made of.
type Options struct {
	Service *admin.Service
	// Once remembers the keys of requests that are made once. Nil remembers them in this
	// process alone.
	Once Claimer
	Log  *slog.Logger
}

// api registers operations.
type api struct {
	huma    huma.API
	service *admin.Service
	once    *once
	// turn is taken by the large subject that is read and answered.
	turn chan struct{}
	log  *slog.Logger
}

// New returns the handler of the API. Its requests come from package access, which says who
// makes them.
func New(o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	a := build(o, mux)
	doc, err := a.huma.OpenAPI().YAML()
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI: %w", err)
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+yaml")
		_, _ = w.Write(doc)
	})
	return &handler{mux: mux, log: o.Log}, nil
}

// OpenAPI returns the description of the API as YAML.
func OpenAPI() ([]byte, error) {
	return build(Options{Service: &admin.Service{}}, http.NewServeMux()).huma.OpenAPI().YAML()
}

func build(o Options, mux *http.ServeMux) *api {
	c := huma.DefaultConfig("Hookarr", "1")
	c.Info.Description = "What operators see and do. Lists go on with the cursor that they return; bulk actions ask first how many rows are expected."
	// No page that loads scripts from elsewhere, and no links to schemas in answers.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{withoutValues}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token of admin.tokens. The unix socket needs none."},
		"key":   {Type: "apiKey", In: "header", Name: "X-Api-Key", Description: "The same token in a header of its own."},
	}
	a := &api{huma: humago.NewWithPrefix(mux, Prefix, c), service: o.Service, once: newOnce(o.Once), turn: make(chan struct{}, 1), log: o.Log}
	problem := a.huma.OpenAPI().Components.Schemas
	problem.Schema(reflect.TypeFor[admin.Problem](), true, "Problem")
	a.events()
	a.deliveries()
	a.actions()
	a.targets()
	a.options()
	a.silences()
	a.sessions()
	a.server()
	a.overview()
	delete(problem.Map(), "ErrorModel")
	delete(problem.Map(), "ErrorDetail")
	return a
}

// schemaName is the name of a type in the description, where those of packages meet.
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[config.Problem]() {
		return "ConfigProblem"
	}
	of := t
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch {
	case of == reflect.TypeFor[pathmap.Pair]():
		return "PathPair"
	case of.PkgPath() == reflect.TypeFor[paths.Report]().PkgPath():
		return "Path" + of.Name() // an Event is another
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// withoutValues makes a problem of what huma found wrong with a request, less the values:
// a secret in the wrong place would come back.
func withoutValues(_ huma.Context, _ string, v any) (any, error) {
	found, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := admin.NewProblem(found.Status, found.Detail)
	for _, e := range found.Errors {
		p.Errors = append(p.Errors, admin.FieldProblem{Location: e.Location, Message: e.Message})
	}
	return p, nil
}

// body is an answer of JSON.
type body[T any] struct{ Body T }

// items is a list that is never long.
type items[T any] struct {
	Items []T `json:"items" nullable:"false"`
}

// register adds an operation for those with a role.
func register[I, O any](a *api, role string, op huma.Operation, do func(ctx context.Context, in *I) (*O, error)) {
	op.Security = []map[string][]string{{"token": {}}, {"key": {}}}
	op.Description = "For the role " + role + "."
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{
		Description: "What was not done, and why.",
		Content:     map[string]*huma.MediaType{admin.ProblemType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}},
	}
	op.Middlewares = append(huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		if !admin.PrincipalOf(ctx.Context()).May(role) {
			_, w := humago.Unwrap(ctx)
			forbidden(role).Write(w)
			return
		}
		next(ctx)
	}}, op.Middlewares...)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.explain(ctx, op.OperationID, err)
		}
		return out, nil
	})
}

// answers describes an answer of text or bytes.
func answers(contentTypes ...string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for _, t := range contentTypes {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return map[string]*huma.Response{"200": {Description: http.StatusText(http.StatusOK), Content: content}}
}

func forbidden(role string) *admin.Problem {
	return admin.NewProblem(http.StatusForbidden, "this needs the role "+role+": use a token that has it")
}

// explain makes a problem of an error. What is none of the client's goes to the log.
func (a *api) explain(ctx context.Context, operation string, err error) error {
	p, own := a.service.Explain(err)
	if own && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "request of an operator failed", slog.String("operation", operation), slog.Any("error", err))
	}
	return p
}

// handler makes problems of what never reaches an operation.
type handler struct {
	mux *http.ServeMux
	log *slog.Logger
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	defer h.recover(w, r)
	_, pattern := h.mux.Handler(r)
	// A ServeMux redirects a path that is not clean, which is no answer of an API.
	clean := path.Clean(r.URL.Path) == r.URL.Path
	if clean && pattern != "" {
		h.mux.ServeHTTP(w, r)
		return
	}
	var missed noted
	h.mux.ServeHTTP(&missed, r)
	if allow := missed.Header().Get("Allow"); clean && allow != "" {
		header.Set("Allow", allow)
		admin.NewProblem(http.StatusMethodNotAllowed, "this path takes "+allow).Write(w)
		return
	}
	admin.NewProblem(http.StatusNotFound, "there is nothing here: "+Prefix+"/openapi.yaml lists what there is").Write(w)
}

// recover answers for a request that panicked, if nothing was answered yet.
func (h *handler) recover(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // it is this very value
		panic(v) //nolint:forbidigo // net/http ends the connection by it
	}
	h.log.ErrorContext(r.Context(), "request of an operator panicked", slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	admin.NewProblem(http.StatusInternalServerError, "this failed; the server's log says why").Write(w)
}

// noted keeps of an answer what it says of the path, and sends nothing.
type noted struct{ header http.Header }

func (n *noted) Header() http.Header {
	if n.header == nil {
		n.header = http.Header{}
	}
	return n.header
}

func (n *noted) Write(p []byte) (int, error) { return len(p), nil }
func (n *noted) WriteHeader(int)             {}

const (
	view    = config.RoleView
	operate = config.RoleOperate
)
