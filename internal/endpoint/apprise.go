package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const appriseKey = "hookarr-Key_1"

// Apprise is an Apprise API server with one stored configuration. Statuses and shapes of
// its answers are those of apprise_api/api/views.py in caronc/apprise-api; the lengths
// are apprise.NotifyBase's, which its form for people enforces and its API leaves to
// the services. The zero value is ready.
type Apprise struct {
	channel[AppriseBody]
	// Tags are those of the services in the configuration. A message for other tags alone
	// reaches none.
	Tags []string
	// Locked refuses to tell the stored configuration.
	Locked bool
}

// AppriseBody is what may be posted.
type AppriseBody struct {
	// URLs are the services of a message that goes to no stored configuration.
	URLs   []string `json:"urls,omitempty"`
	Title  string   `json:"title,omitempty"`
	Body   string   `json:"body"`
	Type   string   `json:"type,omitempty"`
	Format string   `json:"format,omitempty"`
	Tag    string   `json:"tag,omitempty"`
}

// Key is that of the stored configuration.
func (a *Apprise) Key() string { return appriseKey }

// URL returns where messages for the stored configuration are posted on a server that
// serves a.
func (a *Apprise) URL(server string) string { return server + "/notify/" + appriseKey }

// ServeHTTP answers like an Apprise API server.
func (a *Apprise) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.scripted(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if key, ok := strings.CutPrefix(r.URL.Path, "/json/urls/"); ok {
		a.list(w, r, key)
		return
	}
	key, ok := appriseKeyOf(r.URL.Path)
	switch {
	case !ok:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var body AppriseBody
	err := strict(w, r, &body)
	if err == nil {
		err = body.breach(key != "")
	}
	if err != nil {
		a.refused = append(a.refused, err.Error())
		appriseAnswer(w, http.StatusBadRequest, err.Error())
		return
	}
	if key != "" && key != appriseKey || key == "" && !slices.ContainsFunc(body.URLs, func(u string) bool { return strings.Contains(u, "://") }) {
		// Django keeps the body, which no client may read.
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if body.Tag != "" && !a.tagged(body.Tag) {
		appriseAnswer(w, http.StatusFailedDependency, "One or more notification could not be sent")
		return
	}
	a.messages = append(a.messages, body)
	writeJSON(w, http.StatusOK, map[string]any{"error": nil, "details": []any{}})
}

// list tells the services of the stored configuration: one with each of the tags.
func (a *Apprise) list(w http.ResponseWriter, r *http.Request, key string) {
	switch {
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case strings.TrimSuffix(key, "/") != appriseKey:
		w.WriteHeader(http.StatusNoContent)
		return
	case a.Locked:
		appriseAnswer(w, http.StatusForbidden, "The site has been configured to deny this request")
		return
	}
	token := "1234567890:sEcReT"
	if r.URL.Query().Get("privacy") == "1" {
		token = "1...T"
	}
	urls := []map[string]any{}
	for _, tag := range a.Tags {
		urls = append(urls, map[string]any{"url": "tgram://" + token + "/1/", "tags": []string{tag}}, map[string]any{"url": "mailto://localhost", "tags": a.Tags})
	}
	writeJSON(w, http.StatusOK, map[string]any{"tags": a.Tags, "urls": urls})
}

// appriseKeyOf returns the key in a path, which is empty for one that takes URLs.
func appriseKeyOf(path string) (key string, ok bool) {
	m := regexp.MustCompile(`^/notify(?:/([\w-]{1,128}))?/?$`).FindStringSubmatch(path)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// appriseAnswer refuses with what was logged meanwhile: lists of level, time and text.
func appriseAnswer(w http.ResponseWriter, status int, message string, logged ...[3]string) {
	if logged == nil {
		logged = [][3]string{}
	}
	writeJSON(w, status, map[string]any{"error": message, "details": logged})
}

// Fail answers the next request as when a service could not be told, and this was
// logged of it.
func (a *Apprise) Fail(logged ...string) {
	a.Next(func(w http.ResponseWriter, _ *http.Request) {
		lines := make([][3]string, 0, len(logged))
		for _, l := range logged {
			lines = append(lines, [3]string{"WARNING", "2026-11-23 10:00:00,000", l})
		}
		appriseAnswer(w, http.StatusFailedDependency, "One or more notification could not be sent", lines...)
	})
}

// tagged reports whether one of the services has the tags of an expression: by commas
// any of them, by spaces all.
func (a *Apprise) tagged(expression string) bool {
	for alternative := range strings.SplitSeq(expression, ",") {
		all := strings.Fields(alternative)
		if len(all) > 0 && !slices.ContainsFunc(all, func(tag string) bool { return tag != "all" && !slices.Contains(a.Tags, tag) }) {
			return true
		}
	}
	return false
}

// breach returns what is wrong with a message.
func (b *AppriseBody) breach(stored bool) error {
	switch {
	case strings.TrimSpace(b.Body) == "":
		return errors.New("the payload lacks minimum requirements: a body")
	case b.Type != "" && !slices.Contains([]string{"info", "success", "warning", "failure"}, b.Type):
		return fmt.Errorf("type %q", b.Type)
	case b.Format != "" && !slices.Contains([]string{"text", "markdown", "html"}, b.Format):
		return fmt.Errorf("format %q", b.Format)
	case utf8.RuneCountInString(b.Title) > 250, strings.Contains(b.Title, "\n"):
		return errors.New("the title is longer than 250 characters, or than a line")
	case utf8.RuneCountInString(b.Body) > 32768:
		return errors.New("the body is longer than 32,768 characters")
	case stored && len(b.URLs) > 0, !stored && b.Tag != "":
		return errors.New("urls go to /notify, tags to a stored configuration")
	case !regexp.MustCompile(`^[\w ,-]*$`).MatchString(b.Tag):
		return errors.New("unsupported characters found in tag definition")
	default:
		return nil
	}
}
