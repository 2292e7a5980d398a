"""A certificate for servers of TLS, which lives as long as this process."""

import functools
import pathlib
import subprocess
import tempfile


@functools.cache
def _folder():
    folder = tempfile.TemporaryDirectory()
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
         '-subj', '/CN=localhost', '-out', f'{folder.name}/certificate.pem', '-keyout', f'{folder.name}/key.pem'],
        check=True, capture_output=True)
    return folder


def files():
    """The certificate, which has signed itself, and its key; made when they are asked for first."""
    folder = pathlib.Path(_folder().name)
    return folder / 'certificate.pem', folder / 'key.pem'
