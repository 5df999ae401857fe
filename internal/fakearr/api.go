package fakearr

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// ServeHTTP answers like the application.
func (a *Arr) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.state.Lock()
	t, now := a.trouble, a.now()
	a.state.Unlock()
	w.Header().Set("Date", now.Format(http.TimeFormat))
	if t.answered(w, r) {
		return
	}
	rest, under := strings.CutPrefix(r.URL.Path, a.opts.URLBase)
	switch {
	case !under:
		http.Redirect(w, r, a.opts.URLBase+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	case !strings.HasPrefix(rest, "/api"):
		page(w)
	case !a.authorized(r):
		w.WriteHeader(http.StatusUnauthorized)
	default:
		http.StripPrefix(a.opts.URLBase, a.mux).ServeHTTP(w, r)
	}
}

func (a *Arr) authorized(r *http.Request) bool {
	key := r.URL.Query().Get("apikey")
	if key == "" {
		key = r.Header.Get("X-Api-Key")
	}
	if key == "" {
		key, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	return key == a.opts.APIKey
}

func (a *Arr) routes() {
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { notFound(w) })
	a.get("system/status", a.status)
	a.get("queue", a.queue)
	a.get("health", func(*http.Request) any {
		return each(a.checks, func(c Check) object {
			return object{{"source", c.Type}, {"type", c.Level}, {"message", c.Message}, {"wikiUrl", text(c.Wiki)}}
		})
	})
	a.get("tag", func(*http.Request) any { return each(a.tags, a.tag) })
	a.get("tag/{id}", func(r *http.Request) any {
		if id := pathID(r); id > 0 && id <= len(a.tags) {
			return a.tag(a.tags[id-1])
		}
		return nil
	})
	a.notificationRoutes()
	a.handle("GET", "history", a.historyPage)
	a.handle("GET", "history/since", a.historySince)
	a.family.routes()
}

func (a *Arr) handle(method, path string, h http.HandlerFunc) {
	a.mux.HandleFunc(method+" "+a.profile.api+"/"+path, h)
}

// get answers with what f returns, or 404 for nil. The state is locked while f runs.
func (a *Arr) get(path string, f func(*http.Request) any) {
	a.handle("GET", path, func(w http.ResponseWriter, r *http.Request) {
		a.state.Lock()
		v := f(r)
		a.state.Unlock()
		if v == nil {
			notFound(w)
			return
		}
		writeJSON(w, http.StatusOK, v)
	})
}

func (a *Arr) status(*http.Request) any {
	return object{
		{"appName", a.profile.product},
		{"instanceName", a.opts.InstanceName},
		{"version", a.opts.Version},
		{"branch", "master"},
		{"isProduction", true},
		{"isDocker", true},
		{"isLinux", true},
		{"osName", "alpine"},
		{"osVersion", "3.22.1"},
		{"urlBase", a.opts.URLBase},
		{"startTime", seconds(a.started)},
	}
}

func (a *Arr) tag(label string) object {
	return object{{"id", a.tagIDs([]string{label})[0]}, {"label", label}}
}

// queue lists the downloads that were not imported yet.
func (a *Arr) queue(*http.Request) any {
	records := []object{}
	for i, d := range a.downloads {
		if d.state == imported {
			continue
		}
		t, err := a.title(d.TitleID)
		if err != nil {
			continue
		}
		for _, part := range a.family.parts(t, d.Release) {
			records = append(records, append(a.family.identity(t, part), object{
				{"id", i + 1},
				{"title", d.Name},
				{"size", d.Size},
				{"sizeleft", 0},
				{"status", "completed"},
				{"trackedDownloadStatus", d.health()},
				{"trackedDownloadState", d.state},
				{"downloadId", d.ID},
				{"protocol", "torrent"},
				{"downloadClient", d.Client},
				{"indexer", d.Indexer},
			}...))
		}
	}
	return object{{"page", 1}, {"pageSize", len(records)}, {"totalRecords", len(records)}, {"records", records}}
}

func (d *Download) health() string {
	if d.state == blockedImport {
		return "warning"
	}
	return "ok"
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := plainJSON(v)
	if err != nil {
		problem(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// The client is gone when this fails, and its own error says so.
	_, _ = w.Write(body)
}

func notFound(w http.ResponseWriter) { problem(w, http.StatusNotFound, errors.New("NotFound")) }

func problem(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, object{{"message", err.Error()}, {"description", text("")}})
}

// page is the user interface, which answers whatever is not the API.
func page(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<!DOCTYPE html><html><head><title>Login</title></head><body></body></html>")
}

// Trouble is how an application, or what is in front of it, misbehaves.
type Trouble struct {
	// Status is answered to every request, unless zero.
	Status int
	// HTML answers every request with a page and 200, as a proxy's login does.
	HTML bool
	// Hang answers nothing until the client gives up.
	Hang bool
	// Delay passes before every answer.
	Delay time.Duration
	// ClockSkew is added to the application's clock.
	ClockSkew time.Duration
	// Overlap is how many records a page of the history repeats from the page before, as
	// happens when records are added while a client pages.
	Overlap int
	// Unordered gives the records of a history in an order of no meaning.
	Unordered bool
}

// Trouble sets how the application misbehaves from now on. The zero value ends all of
// it.
func (a *Arr) Trouble(t Trouble) {
	a.state.Lock()
	defer a.state.Unlock()
	a.trouble = t
}

// answered answers r when trouble does.
func (t Trouble) answered(w http.ResponseWriter, r *http.Request) bool {
	if t.Hang {
		<-r.Context().Done()
		return true
	}
	if t.Delay > 0 {
		wait := time.NewTimer(t.Delay)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
			return true
		}
	}
	switch {
	case t.HTML:
		page(w)
	case t.Status == http.StatusUnauthorized:
		w.WriteHeader(t.Status)
	case t.Status != 0:
		problem(w, t.Status, errors.New(http.StatusText(t.Status)))
	default:
		return false
	}
	return true
}
