package fakearr

import (
	"bufio"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
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
	a.get("qualityprofile", func(*http.Request) any {
		return each(a.profiles, func(name string) object {
			return object{{"name", name}, {"upgradeAllowed", true}, {"items", []object{}}, {"id", a.profileID(name)}}
		})
	})
	a.get("config/host", func(*http.Request) any {
		return object{
			{"port", 80}, {"instanceName", a.opts.InstanceName}, {"applicationUrl", a.opts.ApplicationURL}, {"apiKey", a.opts.APIKey}, {"id", 1},
		}
	})
	a.notificationRoutes()
	a.rootFolderRoutes()
	a.handle("GET", "history", a.historyPage)
	a.handle("GET", "history/since", a.historySince)
	a.family.routes()
}

func (a *Arr) handle(method, path string, h http.HandlerFunc) {
	a.mux.HandleFunc(method+" "+a.profile.api+"/"+path, func(w http.ResponseWriter, r *http.Request) {
		a.state.Lock()
		a.asked[method+" "+path]++
		a.state.Unlock()
		h(w, r)
	})
}

// Requests counts the requests to the API so far: "GET movie/{id}" of all movies.
func (a *Arr) Requests() map[string]int {
	a.state.Lock()
	defer a.state.Unlock()
	return maps.Clone(a.asked)
}

// list answers with all titles that are wanted. It makes them one by one: that of a
// large library would take hundreds of megabytes.
func (a *Arr) list(path string, wanted func(url.Values, *Title) bool, resource func(*Title) object) {
	a.handle("GET", path, func(w http.ResponseWriter, r *http.Request) {
		a.state.Lock()
		titles, trouble := slices.Clone(a.titles), a.trouble
		a.state.Unlock()
		if trouble.Unordered {
			slices.Reverse(titles)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		out := bufio.NewWriterSize(w, 64<<10)
		separator := "["
		for i, t := range titles {
			if trouble.CutList > 0 && i == trouble.CutList {
				_ = out.Flush()
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler) //nolint:forbidigo // So a handler breaks off.
			}
			if wanted != nil && !wanted(r.URL.Query(), t) {
				continue
			}
			a.state.Lock()
			body, err := plainJSON(resource(t))
			a.state.Unlock()
			if err != nil {
				panic(http.ErrAbortHandler) //nolint:forbidigo // So a handler breaks off.
			}
			// The client is gone when this fails, and its own error says so.
			_, _ = out.WriteString(separator)
			_, _ = out.Write(body)
			separator = ","
		}
		if separator == "[" {
			_, _ = out.WriteString("[")
		}
		_, _ = out.WriteString("]")
		_ = out.Flush()
	})
}

// named is the title with an id that may be absent, which stands for all of them.
func (a *Arr) named(id string) []*Title {
	if id == "" {
		return a.titles
	}
	if t, err := a.title(positive(id, 0)); err == nil {
		return []*Title{t}
	}
	return nil
}

func (a *Arr) sizeOf(titleID int) int64 {
	var size int64
	for _, f := range a.filesOf(titleID) {
		size += f.Size
	}
	return size
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
	// Unordered gives the records of a history, and the titles of a list, in an order of
	// no meaning.
	Unordered bool
	// Only limits Status, HTML, Hang and Delay to requests whose address ends so, such as
	// "/episode?seriesId=7".
	Only string
	// CutList breaks off the list of all titles after so many.
	CutList int
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
	if !strings.HasSuffix(r.URL.RequestURI(), t.Only) {
		return false
	}
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
