package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/client"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/examples/payloads"
	"github.com/hookarr/hookarr/internal/browsertest"
	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/internal/testport"
	"github.com/hookarr/hookarr/sdk"
)

// chromium is the browser of all tests; TestMain closes it.
var chromium browsertest.Browser

// takePictures has tests write docs/pictures/ anew.
var takePictures = flag.Bool("pictures", false, "write the pictures of the documentation")

const (
	adaToken   = "operate-0123456789abcdef"
	guestToken = "view-0123456789abcdef"
)

// desk is a server of a home with several applications and services, as its operators see
// it in a browser.
type desk struct {
	*server
	database string
	// origin is where the browser finds the pages, below base, and direct the same without
	// a proxy.
	origin, base, direct string
	client               *client.Client

	chat  *endpoint.Discord
	phone *endpoint.Ntfy
	// archive refuses what it gets for ever, library its credentials.
	archive, library *receiver
	// disk is that of the media server plex.
	disk *fakeserver.Disk
	// upgrade is the event of the upgrade.
	upgrade string
	// broken are links that lead to what is not there.
	broken []string
}

// deskSettings are what a test's desk differs in.
type deskSettings struct {
	// base is admin.base_path, and admin is added to that section.
	base, admin string
	// proxied is the origin that a proxy gives the server; empty without one.
	proxied string
	// targets and routes are added, as YAML.
	targets, routes string
}

// newDesk writes a configuration and starts nothing. It skips a test without a browser.
func newDesk(t *testing.T, s deskSettings) *desk {
	t.Helper()
	chromium.Require(t)
	dir := t.TempDir()
	hooks, desks := testport.Addr(t), testport.Addr(t)
	d := &desk{
		database: filepath.Join(dir, "hookarr.db"), origin: cmp.Or(s.proxied, "http://"+desks), base: s.base, direct: "http://" + desks,
		chat: &endpoint.Discord{}, phone: &endpoint.Ntfy{}, archive: newReceiver(t), library: newReceiver(t), disk: &fakeserver.Disk{},
	}
	if s.proxied != "" {
		s.admin += "\nexternal_url: " + s.proxied + s.base
	}
	for n := 1; n <= 6; n++ {
		d.disk.Add(seasonFolder+episodeFile(n), 1<<30)
	}
	movies := &plex.Server{Disk: d.disk, Token: plexToken, Delay: 10 * time.Millisecond, Takes: 10 * time.Millisecond}
	movies.AddSection(plex.Shows, "TV Shows", "/media/tv")
	movies.ScanAll()
	t.Cleanup(movies.Close)
	chat, phone, media := httptest.NewServer(d.chat), httptest.NewServer(d.phone), httptest.NewServer(movies)
	t.Cleanup(chat.Close)
	t.Cleanup(phone.Close)
	t.Cleanup(media.Close)
	d.archive.setAnswer(func(delivered) int { return http.StatusUnprocessableEntity })
	d.library.setAnswer(func(delivered) int { return http.StatusUnauthorized })

	yaml := fmt.Sprintf(`listen: %[1]s
database: {url: %[2]q}
plugins: {dir: %[3]s, lock: plugins.lock}
log: {level: debug, format: json}
reload: {watch: false}
trusted_proxies: [127.0.0.0/8]
admin:
  listen: %[4]s
  socket: h.sock
  base_path: %[5]q
  tokens:
    - {name: ada, role: operate, token: %[6]s}
    - {name: guest, role: view, token: %[7]s}
%[8]s
sources:
  sonarr: {plugin: sonarr, auth: [{hmac: {preset: github, secrets: [%[9]s]}}]}
  radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [%[9]s]}}]}
  prowlarr: {plugin: prowlarr, auth: [{hmac: {preset: github, secrets: [%[9]s]}}]}
targets:
  # What happens to one download is one message.
  chat:
    plugin: discord
    group: {by: download, wait: 500ms}
    config: {webhook_url: %[10]q}
  phone:
    plugin: ntfy
    config: {server: %[11]q, topic: %[12]s}
  archive:
    plugin: webhook
    config: {url: %[13]q, secrets: [%[15]q]}
  library:
    plugin: webhook
    config: {url: %[14]q, secrets: [%[15]q]}
  plex:
    plugin: plex
    config: {url: %[17]q, token: %[18]s, map: [{from: /tv, to: /media/tv}]}
%[19]s
routes:
  - {name: family, from: [sonarr, radarr], types: ["media.imported", "media.upgraded", "import.completed"], to: [chat]}
  - {name: trouble, types: ["health.*", "download.failed", "import.failed", "manual_interaction.required"], to: [phone]}
  - {name: films, from: [radarr], types: ["media.*"], when: "event.media.year > 1990", to: [library]}
  - {name: upgrades, types: ["media.upgraded"], to: [archive]}
  - {name: shows, from: [sonarr], types: ["media.imported"], to: [plex]}
%[16]s
`, hooks, "sqlite://"+d.database, filepath.Join(binaries, "plugins"), desks, s.base, adaToken, guestToken, indent(s.admin, 2),
		sourceSecret, d.chat.URL(chat.URL), d.phone.URL(phone.URL), endpoint.NtfyTopic, d.archive.URL, d.library.URL, targetSecret, indent(s.routes, 2),
		media.URL, plexToken, indent(s.targets, 2))
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(yaml), 0o600))
	d.server = serverOn(t, file, hooks)
	d.client = client.Socket(filepath.Join(dir, "h.sock"))
	t.Cleanup(d.client.Close)
	return d
}

// startedDesk is a desk whose server runs.
func startedDesk(t *testing.T, s deskSettings) *desk {
	t.Helper()
	d := newDesk(t, s)
	d.start()
	return d
}

// start runs the server until it is ready, which its operators' address tells.
func (d *desk) start() {
	d.t.Helper()
	d.launch()
	require.Eventually(d.t, func() bool {
		resp, err := http.Get(d.direct + "/readyz")
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode == http.StatusOK
	}, waitTimeout, 20*time.Millisecond, "server is not ready")
}

// open is a tab of one who may operate and has signed in.
func (d *desk) open(t *testing.T) *browsertest.Page {
	t.Helper()
	p := chromium.Open(t, d.origin)
	p.Header("X-Api-Key", adaToken)
	return p
}

// tell posts a body to a source, as its application would. A repetition is taken, too.
func (d *desk) tell(t *testing.T, source string, body []byte) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/hooks/"+source, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Hub-Signature-256", sign(sourceSecret, body))
	req.Header.Set("User-Agent", strings.ToUpper(source[:1])+source[1:]+"/4.0.15.2941 (alpine 3.22.1)")
	a := do(req)
	require.Contains(t, []int{http.StatusAccepted, http.StatusOK}, a.status, a.body)
	return a
}

// sample posts a sample of an application, with texts of it replaced in turn.
func (d *desk) sample(t *testing.T, source, name string, texts ...string) answer {
	t.Helper()
	return d.tell(t, source, sampleOf(t, source, name, texts...))
}

func sampleOf(t *testing.T, source, name string, texts ...string) []byte {
	t.Helper()
	samples, err := payloads.Of(source)
	require.NoError(t, err)
	for _, s := range samples {
		if s.Name == name {
			return []byte(strings.NewReplacer(texts...).Replace(string(s.Body)))
		}
	}
	require.Fail(t, "no such sample", "%s of %s", name, source)
	return nil
}

// settled waits until an event has deliveries and none of them has an attempt under way or
// to come, but for those that a hold keeps.
func (d *desk) settled(t *testing.T, eventID string, states ...event.DeliveryState) {
	t.Helper()
	require.Eventually(t, func() bool {
		e, err := d.client.Event(t.Context(), eventID)
		if err != nil || len(e.Deliveries) != len(states) {
			return false
		}
		left := append([]event.DeliveryState(nil), states...)
		for _, delivery := range e.Deliveries {
			for i, state := range left {
				if delivery.State == state {
					left = append(left[:i], left[i+1:]...)
					break
				}
			}
		}
		return len(left) == 0
	}, waitTimeout, 50*time.Millisecond, "event %s comes to no %v", eventID, states)
}

// awaitTarget waits until a target is in a state.
func (d *desk) awaitTarget(t *testing.T, name, state string) {
	t.Helper()
	require.Eventually(t, func() bool {
		list, err := d.client.ListTargets(t.Context())
		if err != nil {
			return false
		}
		for _, target := range list {
			if target.Name == name {
				return target.State == state
			}
		}
		return false
	}, waitTimeout, 50*time.Millisecond, "target %s is not %s", name, state)
}

// live is an evening at home: a season and a film come in, one of them is an upgrade that
// the archive refuses; the library refuses its credentials, the chat asks for a pause, and
// what the indexer says cannot be read.
func (d *desk) live(t *testing.T) {
	t.Helper()
	for n := 1; n <= 6; n++ {
		d.tell(t, "sonarr", episodeImported(n))
	}
	d.settled(t, d.sample(t, "radarr", "import").id, event.Delivered, event.Pending)
	d.awaitTarget(t, "library", "misconfigured")
	d.sample(t, "radarr", "import") // again: a repetition
	d.sample(t, "sonarr", "health")
	d.upgrade = d.sample(t, "radarr", "upgrade").id
	d.settled(t, d.upgrade, event.Delivered, event.Pending, event.Dead)
	d.tell(t, "prowlarr", []byte(`{"eventType": 7, "instanceName": "Prowlarr"}`))
	d.sample(t, "sonarr", "grab")
	_, err := d.client.AddSilence(t.Context(), admin.NewSilence{
		Expression: `event.source == "prowlarr"`, For: "12h", Comment: "The indexer is being moved.",
	}, "")
	require.NoError(t, err)
	d.sample(t, "prowlarr", "health")
	d.chat.Throttle(time.Hour)
	d.sample(t, "sonarr", "upgrade")
	d.awaitTarget(t, "chat", "throttled")
}

// past fills the database of a server that has never run with the last three hours.
func (d *desk) past(t *testing.T) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), d.database, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, s.Migrate(t.Context()))
	now := time.Now().UTC().Truncate(time.Second)
	titles := []string{"Arrival", "Perfect Blue", "Paprika", "The Thing", "Sunshine", "Moon", "Solaris", "Stalker", "Contact", "Coherence"}
	for i := range 90 {
		// More happens in the evening: later ones are closer together.
		at := now.Add(-time.Duration(180-i*2+i%5) * time.Minute).Add(time.Duration(i*7%60) * time.Second)
		title := titles[i%len(titles)]
		a := pastEvent(at, i, "radarr", sdk.TypeMediaImported, title, "Imported "+title+", Bluray-1080p")
		if i%3 == 1 {
			a = pastEvent(at, i, "sonarr", sdk.TypeReleaseGrabbed, "Severance S02E0"+strconv.Itoa(1+i%9), "Grabbed Severance from Example")
		}
		if i%9 == 4 {
			a = pastEvent(at, i, "prowlarr", sdk.TypeHealthIssue, "IndexerStatusCheck", "Indexers unavailable due to failures: Example")
			a.Owe("phone", "trouble", event.Grouping{})
		} else if i%3 != 1 {
			a.Owe("chat", "family", event.Grouping{})
			a.Owe("library", "films", event.Grouping{})
		}
		for n := range a.Deliveries {
			a.Deliveries[n].ID = pastID(at, 1+n, i)
		}
		d.happened(t, s, a, i)
	}
	execSQL(t, "sqlite://"+d.database, "UPDATE deliveries SET created_at = (SELECT received_at FROM events WHERE id = event_id)")
	execSQL(t, "sqlite://"+d.database, "UPDATE deliveries SET due_at = created_at, updated_at = created_at + 1200000")
}

// pastID is an id of that time.
func pastID(at time.Time, kind, n int) uuid.UUID {
	id := event.FirstID(at)
	id[6], id[8] = 0x70, 0x80
	id[13], id[14], id[15] = byte(kind), byte(n>>8), byte(n)
	return id
}

func pastEvent(at time.Time, n int, source string, typ sdk.Type, title, summary string) *store.Acceptance {
	e := sdk.Event{
		ID: pastID(at, 0, n).String(), Source: source, Origin: sdk.OriginWebhook, Time: at, App: source, Type: typ, Title: title, Summary: summary,
		Media: &sdk.Media{Kind: "movie", Title: title, Year: 2006}, CorrelationKey: source + ":" + title,
	}
	normalized, _ := json.Marshal(e)
	return &store.Acceptance{Event: event.Event{
		ID: pastID(at, 0, n), Source: source, State: event.Routed, Origin: e.Origin, ReceivedAt: at, Type: typ, Title: title, Summary: summary,
		Fingerprint: fmt.Sprint(source, n), CorrelationKey: e.CorrelationKey, Normalized: normalized,
		Request: event.Request{Method: http.MethodPost, Header: http.Header{"User-Agent": {source + "/4.0"}, "Content-Type": {"application/json"}}, Body: fmt.Appendf(nil, `{"title": %q}`, title)},
	}}
}

// happened stores an event whose deliveries came to an end.
func (d *desk) happened(t *testing.T, s *store.Store, a *store.Acceptance, n int) {
	t.Helper()
	_, err := s.Accept(t.Context(), a)
	require.NoError(t, err)
	for i, delivery := range a.Deliveries {
		settlement := &store.Settlement{DeliveryID: delivery.ID, Target: delivery.Target, State: event.Delivered}
		attempt := &event.Attempt{
			DeliveryID: delivery.ID, Number: 1, StartedAt: a.Event.ReceivedAt.Add(time.Second), Elapsed: time.Duration(40+n*13%170) * time.Millisecond,
			Class: sdk.ClassOK, Status: http.StatusOK, Counted: true,
		}
		if n%17 == 0 && i == 0 {
			retried := *attempt
			retried.Class, retried.Status, retried.Message, retried.Excerpt = sdk.ClassRetryable, http.StatusBadGateway, "the endpoint answered 502", "Bad Gateway"
			_, err := s.Settle(t.Context(), &store.Settlement{DeliveryID: delivery.ID, Target: delivery.Target, State: event.Pending, Reason: retried.Message, Attempt: &retried})
			require.NoError(t, err)
			attempt.Number, attempt.StartedAt = 2, attempt.StartedAt.Add(20*time.Second)
		}
		settlement.Attempt = attempt
		_, err := s.Settle(t.Context(), settlement)
		require.NoError(t, err)
	}
}
