package mediabrowser

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// A server may answer with more than a page. What is kept and compared is a page.
func TestPagesOfTooMany(t *testing.T) {
	t.Parallel()
	jellyfin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"TotalRecordCount":1,"Items":[`+strings.Repeat(`{"Id":"1"},`, 5*page)+`{}]}`)
	}))
	t.Cleanup(jellyfin.Close)
	h := new(sdk.HTTP)
	h.LimitBody(1 << 20)
	found, _, err := (&Server{http: h, brand: Jellyfin(), base: jellyfin.URL}).items(t.Context(), "", nil)
	require.NoError(t, err)
	require.Len(t, found, page)
}
