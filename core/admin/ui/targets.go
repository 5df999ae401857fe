package ui

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// maxReason bounds what people write about a pause.
const maxReason = 500

func (u *UI) targetPages() {
	u.page("GET /targets", "targets", config.RoleView, u.listTargets)
	u.page("GET /targets/{name}", "target", config.RoleView, u.showTarget)
	u.page("GET /targets/{name}/paths", "paths", config.RoleOperate, u.showPaths)
	u.page("GET /targets/{name}/options/{key}", "options", config.RoleView, u.showOptions)
	u.page("GET /targets/{name}/preview", "preview", config.RoleOperate, u.previewTarget)
	u.action("POST /targets/{name}/pause", config.RoleOperate, u.pauseTarget)
	u.action("POST /targets/{name}/resume", config.RoleOperate, u.resumeTarget)
	u.action("POST /targets/{name}/probe", config.RoleOperate, u.probeTarget)
	u.action("POST /targets/{name}/rename", config.RoleOperate, u.renameTarget)
	u.action("POST /targets/{name}/test", config.RoleOperate, u.testTarget)
}

// target is a target with what is said and may be done about it.
type target struct {
	admin.Target
	// Why says in words what holds it, and what ends that.
	Why string
	// Resumable and Probeable are what its state permits.
	Resumable, Probeable bool
	// Rate is the one that it has by the configuration or its plugin.
	Rate string
	// LastDelivered is the newest of its deliveries that arrived.
	LastDelivered *admin.Delivery
}

// Held reports whether it takes nothing now, or less than it could.
func (t target) Held() bool { return t.State != admin.TargetOpen }

// newTarget finds the words for a target.
func newTarget(t admin.Target) target {
	v := target{Target: t, Why: holdWords(t.State)}
	switch store.HoldKind(t.State) {
	case store.HoldMisconfigured, store.HoldBreaker, store.HoldThrottled, store.HoldPaused:
		v.Resumable = true
	case store.HoldQuarantined, store.HoldQuiet:
	}
	v.Probeable = t.ProbeAt != nil && t.State != string(store.HoldPaused) && t.State != string(store.HoldQuiet)
	return v
}

// holdWords says what a state means and what ends it.
func holdWords(state string) string {
	switch store.HoldKind(state) {
	case store.HoldMisconfigured:
		return "Its endpoint refuses what it gets. Mend its settings or the endpoint, and resume it; until then it is probed from time to time."
	case store.HoldBreaker:
		return "Its endpoint failed several times in a row. It is probed from time to time, and goes on when a delivery gets through."
	case store.HoldThrottled:
		return "Its endpoint asked for a pause. It goes on by itself."
	case store.HoldQuarantined:
		return "Its plugin does not run. It goes on when the plugin is back."
	case store.HoldPaused:
		return "An operator has paused it. Deliveries wait until it is resumed."
	case store.HoldQuiet:
		return "These are its quiet hours. It goes on when they end."
	}
	switch state {
	case admin.TargetOpen:
		return "It takes deliveries."
	case admin.TargetUnconfigured:
		return "It has left the configuration. Put it back, give its deliveries to another target, or cancel them."
	}
	return ""
}

// describe adds what the configuration, the plugin and the deliveries say of a target.
func (u *UI) describe(ctx context.Context, t admin.Target) (target, error) {
	v := newTarget(t)
	v.Rate = rateWords(u.rateOf(t.Name))
	list, err := u.Service.ListDeliveries(ctx, admin.DeliveryFilter{Target: t.Name, State: event.Delivered}, admin.Page{Limit: 1})
	if len(list.Items) > 0 {
		v.LastDelivered = &list.Items[0]
	}
	return v, err
}

func (u *UI) listTargets(r *http.Request) (view, error) {
	all, err := u.Service.ListTargets(r.Context())
	if err != nil {
		return view{}, err
	}
	list := make([]target, len(all))
	for i, t := range all {
		if list[i], err = u.describe(r.Context(), t); err != nil {
			return view{}, err
		}
	}
	return view{Title: "Targets", Data: list, Changes: []string{"targets", "deliveries", "config"}}, nil
}

// targetPage is what the page of one target shows.
type targetPage struct {
	target
	Facts []fact
	// Settings are those of its plugin, Advanced those for few people.
	Settings, Advanced []labelled
	Plots              []template.HTML
	Known              *time.Time
	Others             []string
	// Folders, Previews and Tests are whether its plugin has these powers. Of a plugin that is
	// not known, the last two are offered, and refused where it has them not.
	Folders, Previews, Tests bool
	// Options lead to the values that settings may have.
	Options []optionLink
	// Key tells a test from others that are sent.
	Key string
}

func (u *UI) showTarget(r *http.Request) (view, error) {
	t, err := u.Service.FindTarget(r.Context(), r.PathValue("name"))
	if err != nil {
		return view{}, err
	}
	page := targetPage{Key: event.NewID().String()}
	if page.target, err = u.describe(r.Context(), t); err != nil {
		return view{}, err
	}
	if !partly(r) { // they are not in the part that is fetched once a second
		if page.Plots, page.Known, err = u.targetPlots(r.Context(), t.Name); err != nil {
			return view{}, err
		}
	}
	c := u.Service.Settings.Config()
	own, configured := c.Targets[t.Name]
	if configured {
		page.Facts = u.targetFacts(t.Name, own, c.Routes)
		if !partly(r) {
			page.Settings, page.Advanced = u.pluginSettings(t.Name)
		}
		plugin := u.pluginOf(host.KindTarget, own.Plugin)
		page.Folders = slices.Contains(plugin.Description.Features, sdk.FeatureFolders)
		page.Options = optionLinks(plugin.Description, t.Name)
		page.Previews, page.Tests = plugin.May(sdk.FeaturePreview), plugin.May(sdk.FeatureTest)
	} else {
		page.Others = u.targets()
	}
	return view{Title: "Target " + t.Name, Data: page, Changes: []string{"targets", "deliveries", "config"}}, nil
}

// previews reports whether a target can show what it would send.
func (u *UI) previews(target string) bool {
	own, configured := u.Service.Settings.Config().Targets[target]
	return configured && u.pluginOf(host.KindTarget, own.Plugin).May(sdk.FeaturePreview)
}

func targetPath(name string) string { return "/targets/" + name }

// after is where the form of an action leads: to the page that it was on.
func after(r *http.Request, name string) string {
	return admin.Local(r.PostFormValue("next"), targetPath(name))
}

func (u *UI) pauseTarget(_ http.ResponseWriter, r *http.Request) (done, error) {
	name, reason := r.PathValue("name"), strings.TrimSpace(r.PostFormValue("reason"))
	if len(reason) > maxReason {
		return done{}, admin.NewProblem(http.StatusUnprocessableEntity, fmt.Sprintf("The reason is too long: want at most %d bytes.", maxReason))
	}
	_, err := u.Service.Pause(r.Context(), admin.PrincipalOf(r.Context()), name, reason)
	return done{To: after(r, name), Notice: "Target " + name + " is paused. What comes waits until it is resumed."}, err
}

func (u *UI) resumeTarget(_ http.ResponseWriter, r *http.Request) (done, error) {
	name := r.PathValue("name")
	t, err := u.Service.Resume(r.Context(), admin.PrincipalOf(r.Context()), name)
	notice := "Target " + name + " is resumed. Nothing waits for it."
	if t.Pending > 0 {
		notice = "Target " + name + " is resumed: " + plural(t.Pending, "delivery goes", "deliveries go") + " out, oldest first."
	}
	return done{To: after(r, name), Notice: notice}, err
}

func (u *UI) probeTarget(_ http.ResponseWriter, r *http.Request) (done, error) {
	name := r.PathValue("name")
	_, err := u.Service.Probe(r.Context(), admin.PrincipalOf(r.Context()), name)
	return done{To: after(r, name), Notice: "Target " + name + " is probed. It goes on if that gets through."}, err
}

func (u *UI) renameTarget(_ http.ResponseWriter, r *http.Request) (done, error) {
	name, to := r.PathValue("name"), r.PostFormValue("to")
	_, err := u.Service.Rename(r.Context(), admin.PrincipalOf(r.Context()), name, to)
	return done{To: "/actions", Notice: "What " + name + " was to get goes to " + to + "."}, err
}

func (u *UI) testTarget(_ http.ResponseWriter, r *http.Request) (done, error) {
	name := r.PathValue("name")
	if !u.sent.first(r.PostFormValue("key")) {
		return done{To: targetPath(name), Notice: "That form was sent twice: one test was made. Send another if you did not see its answer."}, nil
	}
	t, err := u.Service.TestTarget(r.Context(), name)
	return done{Page: "tested", View: view{Title: "Test of target " + name, Data: t}}, err
}

func (u *UI) showPaths(r *http.Request) (view, error) {
	name := r.PathValue("name")
	report, err := u.Service.Paths(r.Context(), name)
	return view{Title: "Paths of target " + name, Data: struct {
		Target string
		paths.Report
	}{name, report}}, err
}
