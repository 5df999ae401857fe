package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStopWaitsForASlowDelivery stops a server while an endpoint takes longer than the
// steps after the drain may: the delivery is made, its name is in the log meanwhile, and
// the end is a clean one.
func TestStopWaitsForASlowDelivery(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	arrived := make(chan struct{}, 1)
	endpoint.setAnswer(func(delivered) int {
		arrived <- struct{}{}
		time.Sleep(12 * time.Second)
		return http.StatusOK
	})
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything, top: "shutdown: {drain: 5m}",
		targets: strings.Replace(webhookTarget(endpoint), "timeout: 2m", "timeout: 5m", 1),
	})
	srv.start()
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	<-arrived
	require.NoError(t, srv.stop())
	got := endpoint.await(t, 1)
	require.Len(t, got, 1)
	said := strings.Count(srv.log.String(), `"msg":"waiting for what is under way","count":1,"longest":["target ops, delivery `)
	require.GreaterOrEqual(t, said, 2, "at once, and again")

	out, err := srv.cli("deliveries", "list", "--state", "delivered", "--json")
	require.NoError(t, err, out)
	require.Equal(t, 1, strings.Count(out, `"delivered"`), out)
}
