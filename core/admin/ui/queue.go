package ui

import (
	"net/http"
	"strings"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

// queuePages are those of the job queue, which are not ours.
func (u *UI) queuePages() {
	if u.Queue == nil {
		return
	}
	u.mux.HandleFunc("GET /queue", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, admin.BasePathOf(r.Context())+"/queue/", http.StatusSeeOther)
	})
	u.handle("/queue/", config.RoleView, u.serveQueue)
}

// serveQueue lets those who operate change jobs, and others look at them.
func (u *UI) serveQueue(w http.ResponseWriter, r *http.Request) {
	p := admin.PrincipalOf(r.Context())
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case !u.Service.Settings.Config().Admin.QueueUI:
		u.Problem(w, r, admin.NewProblem(http.StatusNotFound,
			"The page of the job queue is off. Set admin.queue_ui: true in the configuration and reload it. What is owed is on the page Deliveries."))
	case !reads && !p.May(config.RoleOperate):
		// Its page shows the member message of an answer.
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"Only the role operate changes jobs."}`))
	default:
		loosen(w.Header(), r.URL.Path)
		u.Queue.ServeHTTP(w, r)
	}
}

// loosen lets River's page have what it cannot do without: its React library adds style
// elements while it runs. Scripts and addresses stay as strict as everywhere. The names of
// its assets change with them, and 1.3 MB are not to be fetched for every look.
func loosen(h http.Header, path string) {
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "style-src 'self'", "style-src 'self' 'unsafe-inline'", 1))
	if strings.HasPrefix(path, "/queue/assets/") {
		h.Set("Cache-Control", "private, max-age=3600")
	}
}
