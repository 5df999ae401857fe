package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/internal/testpg"
)

// seasonFiles is how many files the season of these tests has.
const seasonFiles = 48

// episodeImported is Sonarr's webhook of one imported file of a season.
func episodeImported(n int) []byte {
	return fmt.Appendf(nil, `{
  "series": {"id": 7, "title": "The Long Season", "titleSlug": "the-long-season", "path": "/tv/The Long Season", "tvdbId": 4711, "type": "standard", "year": 2020},
  "episodes": [{"id": %[1]d, "episodeNumber": %[1]d, "seasonNumber": 2, "title": "Chapter %[1]d", "airDate": "2026-01-01"}],
  "episodeFile": {"id": %[1]d, "relativePath": "Season 02/The Long Season - S02E%02[1]d.mkv", "path": "/tv/The Long Season/Season 02/The Long Season - S02E%02[1]d.mkv",
    "quality": "WEBDL-1080p", "qualityVersion": 1, "size": 1073741824},
  "isUpgrade": false, "downloadClient": "qBittorrent", "downloadClientType": "qBittorrent", "downloadId": "SEASON2",
  "release": {"releaseTitle": "The.Long.Season.S02.1080p.WEB-DL", "indexer": "Example", "size": 51539607552},
  "eventType": "Download", "instanceName": "Sonarr", "applicationUrl": "http://sonarr.example"
}`, n)
}

// postEpisode posts a body as Sonarr.
func postEpisode(s *server, body []byte) answer {
	req, err := http.NewRequest(http.MethodPost, s.url+"/hooks/radarr", bytes.NewReader(body))
	if err != nil {
		return answer{body: err.Error()}
	}
	req.Header.Set("X-Hub-Signature-256", sign(sourceSecret, body))
	req.Header.Set("User-Agent", "Sonarr/4.0.15.2941 (alpine 3.22.1)")
	return do(req)
}

// seasonServer sends a season to a chat, as one group by its download.
func seasonServer(t *testing.T, c chat, url, wait string) *server {
	t.Helper()
	return newServer(t, settings{
		database: url, plugin: "sonarr", routes: everything,
		targets: fmt.Sprintf(`ops:
  plugin: %s
  retry: {initial: 200ms}
  group: {by: download, wait: %s, max_wait: 1m}
  config: %s`, c.plugin, wait, c.config),
	})
}

// sendSeason posts the imports from one to another.
func sendSeason(t *testing.T, srv *server, first, last int, pause time.Duration) {
	t.Helper()
	for n := first; n <= last; n++ {
		// One whose answer a killed server did not give is a repetition.
		require.Contains(t, []int{http.StatusAccepted, http.StatusOK}, postEpisode(srv, episodeImported(n)).status)
		time.Sleep(pause)
	}
}

// sendUntilDead posts the imports up to one, or until the server has died, and returns the next.
func sendUntilDead(srv *server, last int) (next int) {
	for next = 1; next <= last && postEpisode(srv, episodeImported(next)).status == http.StatusAccepted; {
		next++
	}
	return next
}

// awaitSeason waits until the chat tells of every episode in one message.
func awaitSeason(t *testing.T, c chat) {
	t.Helper()
	require.Eventually(t, func() bool {
		return strings.Contains(strings.Join(c.messages(t), "\n"), fmt.Sprintf("S02E01–E%02d", seasonFiles))
	}, waitTimeout, 50*time.Millisecond, "the chat does not tell of every episode")
	require.Len(t, c.messages(t), 1)
	require.Empty(t, c.refused())
	require.Zero(t, c.traffic().Violations)
}

// pacedDiscord takes five requests in two seconds.
func pacedDiscord(t *testing.T) (chat, *endpoint.Discord) {
	t.Helper()
	d := &endpoint.Discord{Limit: endpoint.Limit{Requests: 5, Window: 2 * time.Second}}
	return discordOf(t, d), d
}

// TestSeasonIsOneMessage imports a season of many files into a channel of Discord's pace:
// everything at once, and slower than the group waits.
func TestSeasonIsOneMessage(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		c, d := pacedDiscord(t)
		srv := seasonServer(t, c, url, "1s")
		srv.start()
		sendSeason(t, srv, 1, seasonFiles, 0)
		awaitSeason(t, c)
		t.Logf("%d requests, %d edits", len(d.Traffic().Arrivals), d.Messages()[0].Edits)
	})
	t.Run("slowly", func(t *testing.T) {
		t.Parallel()
		c, d := pacedDiscord(t)
		srv := seasonServer(t, c, "sqlite://"+t.TempDir()+"/hookarr.db", "50ms")
		srv.start()
		// The queue looks each five seconds for what is due.
		sendSeason(t, srv, 1, seasonFiles, 200*time.Millisecond)
		awaitSeason(t, c)
		require.Positive(t, d.Messages()[0].Edits, "later groups edit the first one's message")
		t.Logf("%d requests, %d edits", len(d.Traffic().Arrivals), d.Messages()[0].Edits)
	})
}

// TestSeasonOutlivesTheServer has the server killed while the group is open, when it is
// closed and not sent, and when it is sent and recorded: one message in every chat.
func TestSeasonOutlivesTheServer(t *testing.T) {
	t.Parallel()

	discord := func(t *testing.T) chat { c, _ := pacedDiscord(t); return c }
	for _, tt := range []struct {
		name, failpoint string
		chat            func(t *testing.T) chat
		both            bool // databases
	}{
		{"open", "", discord, true},
		{"closed", "after-close:1", discord, true},
		{"recorded", "after-settle:1", discord, false},
		{"closed in Slack", "after-close:1", newSlackBot, false},
		{"closed in Telegram", "after-close:1", newTelegram, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			run := func(t *testing.T, url string) {
				c := tt.chat(t)
				srv := seasonServer(t, c, url, "2s")
				srv.start("HOOKARR_FAILPOINT=" + tt.failpoint)
				if tt.failpoint == "" {
					cli(t, srv, "targets", "pause", "ops") // it stays open
				}
				next := sendUntilDead(srv, seasonFiles/2)
				if tt.failpoint == "" {
					srv.kill()
				} else {
					require.Eventually(t, func() bool { return !srv.running() }, waitTimeout, 20*time.Millisecond)
				}
				srv.start()
				sendSeason(t, srv, next, seasonFiles, 0)
				if tt.failpoint == "" {
					cli(t, srv, "targets", "resume", "ops")
				}
				awaitSeason(t, c)
			}
			if tt.both {
				databases(t, run)
			} else {
				run(t, "sqlite://"+t.TempDir()+"/hookarr.db")
			}
		})
	}
}

// movieEvent is a webhook of Radarr about a movie and its download.
func movieEvent(kind, download string, n int, more string) []byte {
	return fmt.Appendf(nil, `{
  "movie": {"id": %[3]d, "title": "Story %06[3]d", "year": 2024, "folderPath": "/movies/Story %06[3]d", "tmdbId": %[3]d, "tags": []},
  "remoteMovie": {"tmdbId": %[3]d, "title": "Story %06[3]d", "year": 2024},
  "downloadClient": "qBittorrent", "downloadClientType": "qBittorrent", "downloadId": %[2]q,
  "release": {"releaseTitle": "Story.%06[3]d.2024.%[2]s", "indexer": "Example", "size": 4823449711, "quality": "WEBDL-1080p"},
  %[4]s
  "eventType": %[1]q, "instanceName": "Radarr", "applicationUrl": "http://radarr.example"
}`, kind, download, n, more)
}

// file is a movie's file as a part of a webhook.
func file(key string, n, id int, quality string) string {
	return fmt.Sprintf(`%[1]q: {"id": %[2]d, "relativePath": "Story.%[3]s.mkv", "path": "/movies/Story %06[4]d/Story.%[3]s.mkv", "quality": %[3]q, "qualityVersion": 1, "size": 4823449711}`,
		key, id, quality, n)
}

func grabbed(download string, n int) []byte { return movieEvent("Grab", download, n, "") }

func imported(download string, n int) []byte {
	return movieEvent("Download", download, n, file("movieFile", n, n, "WEBDL-1080p")+`, "isUpgrade": false,`)
}

func upgraded(download string, n int) []byte {
	old := strings.TrimPrefix(file("", n, n, "WEBDL-1080p"), `"": `)
	return movieEvent("Download", download, n, file("movieFile", n, n+1, "Bluray-2160p")+`, "isUpgrade": true, "deletedFiles": [`+old+`],`)
}

func deletedForUpgrade(n int) []byte {
	return movieEvent("MovieFileDelete", "", n, file("movieFile", n, n, "WEBDL-1080p")+`, "deleteReason": "upgrade",`)
}

// TestStoryIsEdited tells one download out of order: what the channel shows at the end is
// true.
func TestStoryIsEdited(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		d := &endpoint.Discord{}
		web := httptest.NewServer(d)
		t.Cleanup(web.Close)
		srv := newServer(t, settings{database: url, routes: everything, targets: fmt.Sprintf(
			"ops:\n  plugin: discord\n  rate: {per_second: 0}\n  retry: {initial: 1h}\n  config: {webhook_url: %q}", d.URL(web.URL))})
		srv.start()
		channel := func() string { return strings.Join(asJSON(t, d.Messages()), "\n") }
		await := func(what string, messages int) {
			t.Helper()
			require.Eventually(t, func() bool { return len(d.Messages()) == messages && strings.Contains(channel(), what) }, waitTimeout, 20*time.Millisecond,
				"the channel does not say %q", what)
		}

		// The grab fails once, and comes after the import that it led to.
		d.Next(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		require.Equal(t, http.StatusAccepted, srv.post(grabbed("A", 1)).status)
		require.Eventually(t, func() bool { return d.Traffic().Arrivals != nil }, waitTimeout, 20*time.Millisecond)
		require.Equal(t, http.StatusAccepted, srv.post(imported("A", 1)).status)
		await("imported", 1)
		cli(t, srv, "deliveries", "retry", "--target", "ops", "--state", "pending", "--yes")
		require.Eventually(t, func() bool {
			out, err := srv.cli("deliveries", "list", "--state", "superseded")
			return err == nil && strings.Contains(out, "ops")
		}, waitTimeout, 100*time.Millisecond, "the late grab is not superseded")
		await("imported", 1)
		require.NotContains(t, channel(), "Release grabbed")
		require.Zero(t, d.Messages()[0].Edits)

		// In order, one message turns from the grab to the upgrade, deletion and all.
		require.Equal(t, http.StatusAccepted, srv.post(grabbed("B", 1)).status)
		await("grabbed", 2)
		require.Equal(t, http.StatusAccepted, srv.post(deletedForUpgrade(1)).status)
		require.Equal(t, http.StatusAccepted, srv.post(upgraded("B", 1)).status)
		await("upgraded", 2)
		require.NotContains(t, channel(), "grabbed")
		require.Contains(t, channel(), "WEBDL-1080p → Bluray-2160p")

		// Somebody deletes the channel's messages: what comes next is told anew.
		require.Equal(t, http.StatusAccepted, srv.post(grabbed("C", 2)).status)
		await("Story 000002", 3)
		d.DeleteMessages()
		require.Equal(t, http.StatusAccepted, srv.post(imported("C", 2)).status)
		await("imported", 1)
		require.Contains(t, channel(), "Story 000002")
		require.Empty(t, d.Refused())
		require.Eventually(t, func() bool {
			out, err := srv.cli("deliveries", "list", "--state", "pending")
			return err == nil && !strings.Contains(out, "ops ")
		}, waitTimeout, 100*time.Millisecond)
	})
}

// TestNodesShareStories has two nodes tell 200 downloads: one message each.
func TestNodesShareStories(t *testing.T) {
	t.Parallel()

	const downloads = 200
	url := testpg.New(t)
	d := &endpoint.Discord{}
	web := httptest.NewServer(d)
	t.Cleanup(web.Close)
	s := settings{database: url, routes: everything, targets: fmt.Sprintf(
		"ops:\n  plugin: discord\n  concurrency: 4\n  rate: {per_second: 0}\n  group: {by: download, wait: 300ms, max_wait: 5s}\n  retry: {initial: 200ms}\n  config: {webhook_url: %q}", d.URL(web.URL))}
	nodes := []*server{newServer(t, s), newServer(t, s)}
	for _, n := range nodes {
		n.start()
	}
	var posts sync.WaitGroup
	for sender := range 8 {
		posts.Go(func() {
			for n := sender + 1; n <= downloads; n += 8 {
				download := fmt.Sprintf("D%d", n)
				for i, body := range [][]byte{grabbed(download, n), deletedForUpgrade(n), upgraded(download, n)} {
					if status := nodes[(n+i)%2].post(body).status; status != http.StatusAccepted {
						t.Errorf("download %d: status %d", n, status)
					}
				}
			}
		})
	}
	posts.Wait()
	upgrades := func() int { return strings.Count(strings.Join(asJSON(t, d.Messages()), "\n"), "upgraded") }
	require.Eventually(t, func() bool { return upgrades() >= downloads }, waitTimeout, 100*time.Millisecond)
	require.Len(t, d.Messages(), downloads)
	require.Empty(t, d.Refused())
}

// TestSeasonUpgradeIsOneMessage upgrades six episodes, each with the deletion of its old
// file before it.
func TestSeasonUpgradeIsOneMessage(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		d := &endpoint.Discord{}
		srv := seasonServer(t, discordOf(t, d), url, "1s")
		srv.start()
		for n := range 6 {
			for _, body := range episodeUpgraded(n + 1) {
				require.Equal(t, http.StatusAccepted, postEpisode(srv, body).status)
			}
		}
		var text string
		require.Eventually(t, func() bool {
			text = strings.Join(asJSON(t, d.Messages()), "\n")
			return strings.Contains(text, "S02E01–E06")
		}, waitTimeout, 50*time.Millisecond)
		require.Len(t, d.Messages(), 1)
		require.Contains(t, text, "WEBDL-1080p → Bluray-2160p")
		out, err := srv.cli("deliveries", "list", "--state", "superseded", "--json")
		require.NoError(t, err, out)
		require.Equal(t, 6, strings.Count(out, `"superseded_by"`))
	})
}

// episodeUpgraded are Sonarr's webhooks of an upgrade: the old file goes first.
func episodeUpgraded(n int) [][]byte {
	old := fmt.Sprintf(`{"id": %[1]d, "relativePath": "Season 02/The Long Season - S02E%02[1]d.mkv", "path": "/tv/The Long Season/Season 02/The Long Season - S02E%02[1]d.mkv", "quality": "WEBDL-1080p", "size": 1073741824}`, n)
	upgrade := strings.Replace(string(episodeImported(n)), `"isUpgrade": false`, `"isUpgrade": true, "deletedFiles": [`+old+`]`, 1)
	upgrade = strings.Replace(upgrade, `"quality": "WEBDL-1080p", "qualityVersion"`, `"quality": "Bluray-2160p", "qualityVersion"`, 1)
	upgrade = strings.Replace(upgrade, fmt.Sprintf(`"episodeFile": {"id": %d, "relativePath": "Season 02/The Long Season - S02E%02d.mkv", "path": "/tv/The Long Season/Season 02/The Long Season - S02E%02d.mkv"`, n, n, n),
		fmt.Sprintf(`"episodeFile": {"id": %d, "relativePath": "Season 02/The Long Season - S02E%02d 2160p.mkv", "path": "/tv/The Long Season/Season 02/The Long Season - S02E%02d 2160p.mkv"`, 100+n, n, n), 1)
	deletion := fmt.Appendf(nil, `{
  "series": {"id": 7, "title": "The Long Season", "titleSlug": "the-long-season", "path": "/tv/The Long Season", "tvdbId": 4711, "type": "standard", "year": 2020},
  "episodes": [{"id": %[1]d, "episodeNumber": %[1]d, "seasonNumber": 2, "title": "Chapter %[1]d", "airDate": "2026-01-01"}],
  "episodeFile": %[2]s, "deleteReason": "upgrade", "eventType": "EpisodeFileDelete", "instanceName": "Sonarr"
}`, n, old)
	return [][]byte{deletion, []byte(upgrade)}
}

// TestLongHoldEndsInADigest sends what came in a long hold as one message.
func TestLongHoldEndsInADigest(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		d := &endpoint.Discord{}
		web := httptest.NewServer(d)
		t.Cleanup(web.Close)
		srv := newServer(t, settings{database: url, routes: everything, targets: fmt.Sprintf(
			"ops:\n  plugin: discord\n  rate: {per_second: 0}\n  digest_after: 1s\n  config: {webhook_url: %q}", d.URL(web.URL))})
		srv.start()
		out, err := srv.cli("targets", "pause", "ops")
		require.NoError(t, err, out)
		for n := range 60 {
			require.Equal(t, http.StatusAccepted, srv.post(importBody(n+1)).status)
		}
		time.Sleep(1500 * time.Millisecond) // longer than digest_after
		out, err = srv.cli("targets", "resume", "ops")
		require.NoError(t, err, out)
		require.Eventually(t, func() bool { return len(d.Messages()) > 0 }, waitTimeout, 20*time.Millisecond)
		require.Len(t, d.Messages(), 1)
		require.Contains(t, asJSON(t, d.Messages())[0], "60")
		require.Empty(t, d.Refused())
		out, err = srv.cli("deliveries", "list", "--state", "superseded", "--json", "--limit", "200")
		require.NoError(t, err, out)
		require.Equal(t, 60, strings.Count(out, `"superseded_by"`))
	})
}
