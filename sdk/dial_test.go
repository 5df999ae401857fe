package sdk

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A name may resolve to anything, so the address that is dialled is judged as well
// as one in the URL.
func TestDialledAddressIsJudged(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"169.254.169.254:80", "[::ffff:169.254.169.254]:80", "[fe80::1%eth0]:443", "0.0.0.0:80", "nonsense"} {
		require.ErrorIs(t, dialControl("tcp", address, nil), errAddress, address)
	}
	for _, address := range []string{"127.0.0.1:80", "192.168.1.2:443", "[::1]:80", "1.1.1.1:443"} {
		require.NoError(t, dialControl("tcp", address, nil), address)
	}
	h := new(HTTP)
	h.once.Do(h.init)
	transport, ok := h.client.Transport.(*http.Transport)
	require.True(t, ok)
	_, err := transport.DialContext(t.Context(), "tcp", "169.254.169.254:80")
	require.ErrorIs(t, err, errAddress, "the client does not ask")
}
