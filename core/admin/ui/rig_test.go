package ui_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/admin/ui"
	"github.com/hookarr/hookarr/core/config"
)

// rig is the pages over a real database, for who was let in already.
type rig struct {
	*admintest.Rig
	ui *ui.UI
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Rig: admintest.New(t)}
	var err error
	r.ui, err = ui.New(ui.Options{Service: r.Service, Log: r.Log})
	require.NoError(t, err)
	return r
}

// answer is a page.
type answer struct {
	status int
	header http.Header
	body   string
}

// do makes a request for a principal with a role, below the base path /x.
func (r *rig) do(role, method, path string, form url.Values, header ...string) answer {
	req := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	ctx := admin.WithBasePath(admin.WithPrincipal(req.Context(), admin.Principal{Name: "ada", Via: "token", Role: role}), "/x")
	w := httptest.NewRecorder()
	r.ui.ServeHTTP(w, req.WithContext(ctx))
	res := w.Result()
	body, _ := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(body)}
}

// get fetches a page as one who may operate.
func (r *rig) get(path string) answer { return r.do(config.RoleOperate, http.MethodGet, path, nil) }

// post sends a form as one who may operate.
func (r *rig) post(path string, form url.Values) answer {
	return r.do(config.RoleOperate, http.MethodPost, path, form)
}

// foreign is what a stranger may choose.
var foreign = `<script>alert(1)</script><img src=x onerror=alert(1)>"'&{{.}}` + "\x00\x1b[31m\u202e" + strings.Repeat("long", 2500)
