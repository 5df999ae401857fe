package sdk

import (
	"context"
	"net"
	"net/url"
	"testing"
	"time"

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
	transport, ok := h.client.Transport.(staying)
	require.True(t, ok)
	_, err := transport.DialContext(t.Context(), "tcp", "169.254.169.254:80")
	require.ErrorIs(t, err, errAddress, "the client does not ask")
}

// A URL is judged without looking anything up, whatever the notation of its address.
func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"169.254.169.254", "169.254.169.254.", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fe80::1%25eth0]", "[fd00:ec2::254]",
		"2852039166", "0xa9fea9fe", "0XA9FEA9FE", "025177524776", "169.16689662", "169.254.43518", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "0xa9.254.0251.254",
		"metadata.google.internal", "METADATA.google.internal.", "metadata.goog", "metadata", "instance-data.ec2.internal", "metadata.tencentyun.com",
		"metadata。google。internal", "ｍetadata.google.internal", "１６９.254.169.254", "169。254。169。254", "①69.254.169.254",
		"168.63.129.16", "2822734096", "0", "0x0", "255.255.255.255",
	} {
		u, err := url.Parse("http://" + host + ":80/t0ken")
		require.NoError(t, err, host)
		require.ErrorIs(t, CheckURL(u), errAddress, host)
		require.NotContains(t, CheckURL(u).Error(), "t0ken")
		_, err = new(HTTP).PostJSON(t.Context(), Secret(u.String()), nil)
		require.ErrorIs(t, err, errAddress, host)
	}
	for _, host := range []string{
		"127.0.0.1", "2130706433", "0x7f.1", "192.168.1.2", "[::1]", "[fd12::1]", "a.example", "metadata.example", "metadata.google.internal.example", "bücher.example", "my_service", "0x.example", "1.2.3.4.5",
		"169.254.169.254.example", "99999999999", "0xg", "08", "1..2", "a9fea9fe",
	} {
		require.NoError(t, CheckURL(&url.URL{Scheme: "https", Host: host}), host)
	}
	for _, u := range []*url.URL{nil, {}, {Scheme: "ftp", Host: "a.example"}, {Scheme: "http", Host: ":80"}} {
		require.Error(t, CheckURL(u))
	}
}

func TestDialConnectsOnlyToEndpoints(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conn, err := Dial(t.Context(), l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	for _, address := range []string{"169.254.169.254:25", "[fe80::1%25eth0]:25", "metadata.google.internal:25", "0xa9fea9fe:25", "no port"} {
		_, err = Dial(t.Context(), address)
		class, _ := ClassOf(err)
		require.Equal(t, ClassMisconfigured, class, "%s: %v", address, err)
	}
	require.NoError(t, CheckHost("mail.example"))
	require.ErrorIs(t, CheckHost("169.254.169.254"), errAddress)

	_, err = Dial((&recorder{preview: true}).in(t.Context()), l.Addr().String())
	require.ErrorIs(t, err, errPreview)
	ended, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err = Dial(ended, l.Addr().String())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, l.Close())
	_, err = Dial(t.Context(), l.Addr().String())
	class, _ := ClassOf(err)
	require.Equal(t, ClassRetryable, class, "nobody listens: %v", err)
}
