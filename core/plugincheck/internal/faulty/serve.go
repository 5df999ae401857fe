package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/emptypb"

	// The contract's messages.
	_ "github.com/hookarr/hookarr/sdk/host"
)

// object is a message of the contract as JSON.
type object = map[string]any

// handler answers a call.
type handler func(ctx context.Context, request object) (object, error)

// serve greets the host and serves until ended is closed.
func (p *plugin) serve(ended <-chan struct{}) error {
	listener, err := net.Listen("unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s")) //nolint:noctx // it ends with the process
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	config, certificate, err := p.tlsConfig()
	if err != nil {
		return err
	}
	const maxMessage = 64 << 20
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.MaxRecvMsgSize(maxMessage))
	if !p.is("no-health") {
		status := health.NewServer()
		service := "plugin"
		if p.is("health-of-another") {
			service = "another"
		}
		status.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
		healthpb.RegisterHealthServer(server, status)
	}
	p.register(server)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "plugin.GRPCController", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Shutdown", Handler: p.shutDown}},
	}, nil)
	line := "1|1|unix|" + listener.Addr().String() + "|grpc|" + certificate
	if p.is("no-certificate") {
		line = "1|1|unix|" + listener.Addr().String() + "|grpc|"
	}
	if p.is("slow") {
		time.Sleep(2100 * time.Millisecond)
	}
	_, _ = fmt.Fprintln(os.Stdout, line)
	go func() {
		<-ended
		os.Exit(0)
	}()
	return server.Serve(listener)
}

// shutDown is go-plugin's.
func (p *plugin) shutDown(_ any, _ context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) { //nolint:revive // the form of grpc.MethodHandler
	if err := read(&emptypb.Empty{}); err != nil {
		return nil, err
	}
	code := 0
	switch {
	case p.is("ignores-shutdown"):
		return &emptypb.Empty{}, nil
	case p.is("shutdown-code"):
		code = 4
	}
	const answer = 20 * time.Millisecond
	time.AfterFunc(answer, func() { os.Exit(code) })
	return &emptypb.Empty{}, nil
}

// register serves the contract's services, but those of features that are not declared.
func (p *plugin) register(server *grpc.Server) {
	for service, methods := range p.services() {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("hookarr.plugin.v1." + service))
		descriptor, ok := found.(protoreflect.ServiceDescriptor)
		if err != nil || !ok {
			continue // the contract has it not: a test would miss it
		}
		desc := &grpc.ServiceDesc{ServiceName: string(descriptor.FullName()), HandlerType: (*any)(nil)}
		for name, h := range methods {
			desc.Methods = append(desc.Methods, grpc.MethodDesc{MethodName: name, Handler: handle(descriptor.Methods().ByName(protoreflect.Name(name)), h)})
		}
		server.RegisterService(desc, nil)
	}
}

// handle turns messages into JSON and back.
func handle(method protoreflect.MethodDescriptor, h handler) grpc.MethodHandler {
	return func(_ any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in, out := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
		if err := read(in); err != nil {
			return nil, err
		}
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(in)
		if err != nil {
			return nil, err
		}
		var request object
		if err := json.Unmarshal(text, &request); err != nil {
			return nil, err
		}
		response, err := h(ctx, request)
		if err != nil {
			return nil, err
		}
		if text, err = json.Marshal(response); err != nil {
			return nil, err
		}
		return out, protojson.Unmarshal(text, out)
	}
}

// tlsConfig wants the host's certificate of clients, and has one of its own for the host.
func (p *plugin) tlsConfig() (config *tls.Config, certificate string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", fmt.Errorf("make key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, "", fmt.Errorf("make certificate: %w", err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM([]byte(os.Getenv("PLUGIN_CLIENT_CERT")))
	config = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12,
	}
	if p.is("takes-anybody") {
		config.ClientAuth = tls.NoClientCert
	}
	return config, strings.TrimRight(base64.StdEncoding.EncodeToString(der), "="), nil
}
