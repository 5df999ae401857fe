package stash_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/stash"
)

type answer struct {
	Data   map[string]any
	Errors []struct{ Message string }
}

func ask(t *testing.T, s *stash.Server, key, query string, variables map[string]any) (int, answer) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	if key != "" {
		r.Header.Set("ApiKey", key)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var a answer
	if w.Body.Len() > 0 {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), w.Body.String())
	}
	return w.Code, a
}

func TestScan(t *testing.T) {
	t.Parallel()
	disk := new(fakeserver.Disk)
	disk.Add("/data/a/One 100%.mp4", 7)
	disk.Add("/data/a/notes.txt", 1)
	s := stash.New(disk, stash.Config{Version: "v0.30.1", APIKey: "k", Stashes: []string{"/data"}, ScanTime: time.Hour})
	const scan = `mutation($paths:[String!]){metadataScan(input:{paths:$paths})}`
	const find = `query($p:String!){findScenes(scene_filter:{path:{value:$p,modifier:EQUALS}}){count scenes{id files{path}}}}`
	const job = `query($id:ID!){findJob(input:{id:$id}){status error}}`

	status, _ := ask(t, s, "", scan, nil)
	require.Equal(t, http.StatusUnauthorized, status)
	_, a := ask(t, s, "k", scan, map[string]any{"paths": []string{"/data/a", "/elsewhere"}})
	require.Equal(t, "1", a.Data["metadataScan"])
	_, _ = ask(t, s, "k", scan, map[string]any{"paths": []string{"/elsewhere"}})
	_, a = ask(t, s, "k", job, map[string]any{"id": "1"})
	require.Equal(t, map[string]any{"status": "RUNNING", "error": nil}, a.Data["findJob"])
	_, a = ask(t, s, "k", job, map[string]any{"id": "2"})
	require.Equal(t, map[string]any{"status": "READY", "error": nil}, a.Data["findJob"], "jobs run one after the other")
	require.Empty(t, s.Scenes())

	s.Restart()
	_, a = ask(t, s, "k", job, map[string]any{"id": "1"})
	require.Nil(t, a.Data["findJob"])
	s.Configure(func(c *stash.Config) { c.ScanTime = 0 })
	_, _ = ask(t, s, "k", scan, map[string]any{"paths": []string{"/elsewhere"}})
	_, a = ask(t, s, "k", job, map[string]any{"id": "3"})
	require.Equal(t, map[string]any{"status": "FINISHED", "error": nil}, a.Data["findJob"])
	require.Len(t, s.Warned(), 1)
	_, _ = ask(t, s, "k", scan, map[string]any{"paths": []string{"/data/a"}})
	require.Len(t, s.Scenes(), 1)
	for path, count := range map[string]float64{"/data/a/one 100%.MP4": 1, "/data/a/One 10__.mp4": 1, "/data/a/One": 0} {
		_, a = ask(t, s, "k", find, map[string]any{"p": path})
		require.InDelta(t, count, a.Data["findScenes"].(map[string]any)["count"], 0, path)
	}

	disk.Rename("/data/a/One 100%.mp4", "/data/b/Two.mp4")
	_, _ = ask(t, s, "k", scan, map[string]any{"paths": []string{"/data"}})
	require.Len(t, s.Scenes(), 1)
	require.Equal(t, "/data/b/Two.mp4", s.Scenes()[0].Path, "what moved is no new scene")
	disk.Remove("/data/b")
	_, _ = ask(t, s, "k", scan, map[string]any{"paths": []string{"/data"}})
	require.Len(t, s.Scenes(), 1, "what is gone stays")

	s.FailNextJob("disk is on fire")
	_, _ = ask(t, s, "k", scan, map[string]any{"paths": []string{"/data/a"}})
	_, a = ask(t, s, "k", job, map[string]any{"id": "7"})
	require.Equal(t, map[string]any{"status": "FAILED", "error": "disk is on fire"}, a.Data["findJob"])
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := stash.New(new(fakeserver.Disk), stash.Config{Version: "v0.30.1"})
	status, _ := ask(t, s, "any", `{version{version}}`, nil)
	require.Equal(t, http.StatusUnauthorized, status, "a key where there are no credentials")
	status, a := ask(t, s, "", `{findFile(path:"/x"){id}}`, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "file not found", a.Errors[0].Message)
	status, a = ask(t, s, "", `{findMovie{id}}`, nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.NotEmpty(t, a.Errors)
}
