package endpoint_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

func TestAppriseRefusesEveryBreach(t *testing.T) {
	t.Parallel()
	a := func(n int) string { return strings.Repeat("ä", n) }
	for name, c := range map[string]struct{ good, bad string }{
		"no body":        {`{"body":"a"}`, `{"title":"a","body":" "}`},
		"not JSON":       {`{"body":"a"}`, `body=a`},
		"unknown member": {`{"body":"a"}`, `{"body":"a","message":"b"}`},
		"type":           {`{"body":"a","type":"failure"}`, `{"body":"a","type":"error"}`},
		"format":         {`{"body":"a","format":"html"}`, `{"body":"a","format":"HTML"}`},
		"title":          {`{"body":"a","title":"` + a(250) + `"}`, `{"body":"a","title":"` + a(251) + `"}`},
		"lines":          {`{"body":"a\nb"}`, `{"body":"a","title":"a\nb"}`},
		"long body":      {`{"body":"` + a(32768) + `"}`, `{"body":"` + a(32769) + `"}`},
		"tag":            {`{"body":"a","tag":"family, admins urgent"}`, `{"body":"a","tag":"family!"}`},
		"urls":           {`{"body":"a"}`, `{"body":"a","urls":["json://a"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := endpoint.Apprise{Tags: []string{"family"}}
			url := s.URL(serve(t, &s))
			require.Equal(t, http.StatusOK, send(t, http.MethodPost, url, c.good).status)
			require.Equal(t, http.StatusBadRequest, send(t, http.MethodPost, url, c.bad).status)
			require.Len(t, s.Messages(), 1)
			require.Len(t, s.Refused(), 1)
		})
	}
}

func TestAppriseKnowsItsKeysAndTags(t *testing.T) {
	t.Parallel()
	s := endpoint.Apprise{Tags: []string{"family", "urgent"}}
	server := serve(t, &s)
	url := s.URL(server)
	for tag, status := range map[string]int{
		"family": 200, "family urgent": 200, "other, family": 200, "all": 200, "other": 424, "family other": 424, ",": 424,
	} {
		require.Equal(t, status, send(t, http.MethodPost, url, `{"body":"a","tag":"`+tag+`"}`).status, tag)
	}
	require.Equal(t, http.StatusNoContent, send(t, http.MethodPost, server+"/notify/another", `{"body":"a"}`).status)
	require.Equal(t, http.StatusNoContent, send(t, http.MethodPost, server+"/notify/", `{"body":"a","urls":["nonsense"]}`).status)
	require.Equal(t, http.StatusOK, send(t, http.MethodPost, server+"/notify", `{"body":"a","urls":["json://a"]}`).status)
	require.Equal(t, http.StatusBadRequest, send(t, http.MethodPost, server+"/notify", `{"body":"a","urls":["json://a"],"tag":"family"}`).status)
	require.Equal(t, http.StatusNotFound, send(t, http.MethodPost, server+"/notify/a/b", `{"body":"a"}`).status)
	require.Equal(t, http.StatusMethodNotAllowed, send(t, http.MethodGet, url, "").status)

	s.Fail("one failed", "and another")
	got := send(t, http.MethodPost, url, `{"body":"a"}`)
	require.Equal(t, http.StatusFailedDependency, got.status)
	require.Contains(t, got.body, "and another")
	require.Contains(t, got.header.Get("Content-Type"), "json")
}
