import './style/app.css'; import {render} from 'preact'; render(<p>Malssi</p>, document.body);
