// Tokio on one thread.  main PORT MODE
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

async fn echo(mut stream: TcpStream, read_size: usize) -> io::Result<()> {
    let mut buffer = vec![0; read_size];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
    }
}

// Answers each line with itself, and all lines that have arrived at once.
async fn lines(mut stream: TcpStream) -> io::Result<()> {
    let (reader, writer) = stream.split();
    let (mut reader, mut writer) = (BufReader::new(reader), BufWriter::new(writer));
    let mut line = String::new();
    while reader.read_line(&mut line).await? > 0 {
        writer.write_all(line.as_bytes()).await?;
        if reader.buffer().is_empty() {
            writer.flush().await?;
        }
        line.clear();
    }
    Ok(())
}

async fn send(mut writer: WriteHalf<'_>, bulk_bytes: usize) -> io::Result<()> {
    let block = vec![b'x'; 64 * 1024];
    let mut left = bulk_bytes;
    while left > 0 {
        let n = left.min(block.len());
        writer.write_all(&block[..n]).await?;
        left -= n;
    }
    Ok(())
}

async fn receive(mut reader: ReadHalf<'_>) -> io::Result<usize> {
    let mut buffer = vec![0; 64 * 1024];
    let mut received = 0;
    loop {
        let n = reader.read(&mut buffer).await?;
        if n == 0 {
            return Ok(received);
        }
        received += n;
    }
}

async fn bulk(mut stream: TcpStream, mode: &str, bulk_bytes: usize) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    match mode {
        "send" => send(writer, bulk_bytes).await,
        "receive" => {
            let received = receive(reader).await?;
            writer.write_all(format!("{received}\n").as_bytes()).await
        }
        _ => tokio::try_join!(send(writer, bulk_bytes), receive(reader)).map(|_| ()),
    }
}

async fn serve(stream: TcpStream, mode: &str, read_size: usize, bulk_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match mode {
        "echo" => echo(stream, read_size).await,
        "line" => lines(stream).await,
        _ => bulk(stream, mode, bulk_bytes).await,
    }
}

async fn accept(port: u16, mode: &'static str) -> io::Result<()> {
    let (read_size, bulk_bytes) = (number("READ_SIZE", 16 * 1024), number("BULK_BYTES", 1 << 30));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, mode, read_size, bulk_bytes));
        }
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let port = arguments[1].parse().expect("a port");
    let mode = Box::leak(arguments[2].clone().into_boxed_str());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(accept(port, mode))
}
