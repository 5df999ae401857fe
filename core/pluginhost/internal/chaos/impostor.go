package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// impersonate listens as somebody does who has taken the place of a plugin's socket, and
// holds another key than that of the certificate in the plugin's handshake. Without
// encryption, the handshake has no certificate.
func impersonate(encrypted bool) error {
	l, err := new(net.ListenConfig).Listen(context.Background(), "unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s"))
	if err != nil {
		return err
	}
	plugin, err := selfSigned()
	if err != nil {
		return err
	}
	other, err := selfSigned()
	if err != nil {
		return err
	}
	announced := ""
	if encrypted {
		announced = base64.RawStdEncoding.EncodeToString(plugin.Certificate[0])
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{other}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS13})
	}
	_, _ = fmt.Fprintf(os.Stdout, "1|1|unix|%s|grpc|%s\n", l.Addr(), announced)
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			_, _ = conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // HTTP/2's settings, as gRPC begins
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
